"""Words that people and programs write where a label is missing: NaN, null, N/A, None, NA."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from munet.text import counted

_NEVER = frozenset(("nan", "null", "n/a", "#n/a", "<na>"))  # what programs write; no class is called so
_PERHAPS = frozenset(("none", "na"))  # as well a class: "None" of defects, "NA" of blood groups
_NUMBER = re.compile(r"-?\d+(\.\d*)?")


def without_missing(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """`labels` with "" for each that says there is none, and a note of how many of each word there were.

    NaN, null, N/A, #N/A and <NA>, in any case, are never a class. None and NA are none where all other labels are
    numbers; beside words they stay (`told_of_missing`).
    """
    counts = Counter(labels)
    gone = {label for label in counts if label.casefold() in _NEVER}
    perhaps = {label for label in counts if label.casefold() in _PERHAPS}
    others = [label for label in counts if label and label not in gone and label not in perhaps]
    if others and all(_NUMBER.fullmatch(label) for label in others):
        gone |= perhaps
    notes = [f"'{word}' of {counted(counts[word], 'row')} is taken for no label" for word in sorted(gone)]
    return ["" if label in gone else label for label in labels], notes


def says_missing(classes: Collection[str]) -> bool:
    """Whether one of some classes is called as what is taken for no label now: a task of before has it."""
    return any(name.casefold() in _NEVER | _PERHAPS for name in classes)


def told_of_missing(classes: Sequence[str], counts: Sequence[int]) -> list[str]:
    """A sentence for each class that is called as a missing label is, and has so many images."""
    return [
        f"class '{name}' ({counted(count, 'image')}) is called as a missing label is: if it means none, leave these "
        "labels empty or take the images out"
        for name, count in zip(classes, counts, strict=True)
        if name.casefold() in _NEVER | _PERHAPS
    ]
