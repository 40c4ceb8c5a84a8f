"""The same image twice: in two splits, which makes results look better than they are, or under two classes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from munet.errors import InputError
from munet.tasks.reading import Reading
from munet.text import counted

Example = tuple[str, int]
"""Split of the source, and place in it."""

_SHOWN = 2


@dataclass
class Duplicates:
    """Pairs of examples of one content: in two splits of the task, under two classes; how many others in one split."""

    splits: dict[tuple[str, str], list[tuple[Example, Example]]] = field(default_factory=dict)
    classes: list[tuple[Example, Example]] = field(default_factory=list)
    alike: int = 0


def find_duplicates(readings: Mapping[str, Reading]) -> Duplicates:
    """Every image whose content another had before, in the order of the splits.

    Content is that of the file, or the pixels where there are no files. An example that two splits share because they
    overlap is no duplicate.
    """
    first: dict[bytes, tuple[str, int, Example]] = {}
    found = Duplicates()
    for part, reading in readings.items():
        for content, label, example in zip(reading.contents, reading.labels.tolist(), reading.examples, strict=True):
            before = first.setdefault(content, (part, label, example))
            if before[2] == example:
                continue
            if before[1] != label:
                found.classes.append((before[2], example))
            elif before[0] != part:
                found.splits.setdefault((before[0], part), []).append((before[2], example))
            else:
                found.alike += 1
    return found


def told_of(found: Duplicates, name: Callable[[str, int], str]) -> list[str]:
    """A sentence for each kind, with two examples. `name` says what to call an example."""

    def shown(pairs: Sequence[tuple[Example, Example]]) -> str:
        return "; ".join(f"{name(*one)} = {name(*other)}" for one, other in pairs[:_SHOWN])

    sentences = [
        f"{counted(len(pairs), 'image')} of {other} {_are(pairs)} in {part} too ({shown(pairs)})"
        for (part, other), pairs in found.splits.items()
    ]
    if found.classes:
        sentences.append(
            f"{counted(len(found.classes), 'image')} {_are(found.classes)} there under another class too "
            f"({shown(found.classes)})"
        )
    if found.alike:
        sentences.append(f"{counted(found.alike, 'image')} {_are(range(found.alike))} in one split and class twice")
    return sentences


def refuse(found: Duplicates, address: str, name: Callable[[str, int], str]) -> None:
    """InputError where an image is in two splits or under two classes."""
    if found.splits or found.classes:
        serious = Duplicates(found.splits, found.classes)
        raise InputError(
            f"{address}: {', '.join(told_of(serious, name))}: remove one of each pair, or say --allow-duplicates"
        )


def _are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"
