"""What a person is told of a new task: its classes, how many images they have, what is there and not used."""

from collections.abc import Mapping, Sequence

import numpy as np

from munet.tasks.planning import Selection
from munet.tasks.sources.base import Source
from munet.tasks.sources.missing import told_of_missing
from munet.tasks.twins import told_of_twins
from munet.text import counted

_SHOWN = 8  # classes that are listed in full
_CLASSES, _TRAIN = "classes: ", "train has "


def is_usual(sentence: str) -> bool:
    """Whether a sentence is told of every task, rather than that something was guessed, lacking or left out."""
    return sentence.startswith((_CLASSES, _TRAIN))


def told(source: Source, plan: Mapping[str, Selection], labels: Mapping[str, np.ndarray]) -> list[str]:
    """One sentence each. `labels` int64 (N,) are those of what each split of the task holds."""
    classes, counts = source.classes, source.counts()
    sentences = [f"{_CLASSES}{listed(classes)}"]
    found = {part: np.bincount(values, minlength=len(classes)) for part, values in labels.items()}
    train = found["train"]
    least, most = int(train.argmin()), int(train.argmax())
    if train[least] == train[most]:
        sentences.append(f"{_TRAIN}{counted(int(train[least]), 'image')} of each class")
    else:
        few, many = f"{train[least]:,}", f"{train[most]:,}"
        sentences.append(f"{_TRAIN}{few} ({classes[least]}) to {many} ({classes[most]}) images of a class")
    total = np.sum(list(found.values()), 0).tolist()
    sentences += [note for note in told_of_twins(classes) if note not in source.notes()]
    sentences += told_of_missing(classes, total)
    for part in ("validation", "test"):
        lacking = [classes[label] for label in np.flatnonzero(found[part] == 0).tolist()]
        if lacking:
            cut = part not in counts and source.order_kind != "stratified" and lacks_needlessly(found, part)
            way_out = " (?order=stratified cuts class by class)" if cut else ""
            sentences.append(f"{lacks(part, lacking)}{way_out}: {listed(lacking)}")
    used = {name for selection in plan.values() for name, _, _ in selection.ranges}
    unused = [f"{name} ({counted(count, 'image')})" for name, count in counts.items() if name not in used]
    if unused:
        sentences.append(f"splits that are there and not used: {listed(unused)}")
    return sentences


def lacks(part: str, classes: Sequence[str]) -> str:
    """`validation has no image of 2 classes`."""
    return f"{part} has no image of {counted(len(classes), 'class')}"


def lacks_needlessly(found: Mapping[str, np.ndarray], part: str) -> bool:
    """Whether validation or test has no image of a class that train has enough of, validation coming first. `found`
    has images of each class, int64 (C,), for each split."""
    return bool(np.any(found["train"][found[part] == 0] > (1 if part == "validation" else 2)))


def listed(names: Sequence[str]) -> str:
    """All of a few names, else the first and the last ones."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:4])}, … {', '.join(names[-2:])}"
