"""What a person is told of a new task: its classes, how many images they have, what is there and not used."""

from collections.abc import Mapping, Sequence

import numpy as np

from munet.tasks.planning import Selection
from munet.tasks.sources.base import Source
from munet.text import counted

_SHOWN = 8  # classes that are listed in full


def told(source: Source, plan: Mapping[str, Selection], labels: Mapping[str, np.ndarray]) -> list[str]:
    """One sentence each. `labels` int64 (N,) are those of what each split of the task holds."""
    classes, counts = source.classes, source.counts()
    sentences = [f"classes: {listed(classes)}"]
    found = {part: np.bincount(values, minlength=len(classes)) for part, values in labels.items()}
    train = found["train"]
    least, most = int(train.argmin()), int(train.argmax())
    if train[least] == train[most]:
        sentences.append(f"train has {counted(int(train[least]), 'image')} of each class")
    else:
        few, many = f"{train[least]:,}", f"{train[most]:,}"
        sentences.append(f"train has {few} ({classes[least]}) to {many} ({classes[most]}) images of a class")
    for part in ("validation", "test"):
        labels_lacking = np.flatnonzero(found[part] == 0)
        lacking = [classes[label] for label in labels_lacking.tolist()]
        if lacking:
            enough = np.any(train[labels_lacking] > (1 if part == "validation" else 2))  # validation comes first
            cut = part not in counts and source.order_kind != "stratified" and enough
            way_out = " (?order=stratified cuts class by class)" if cut else ""
            sentences.append(f"{part} has no image of {counted(len(lacking), 'class')}{way_out}: {listed(lacking)}")
    used = {name for selection in plan.values() for name, _, _ in selection.ranges}
    unused = [f"{name} ({counted(count, 'image')})" for name, count in counts.items() if name not in used]
    if unused:
        sentences.append(f"splits that are there and not used: {listed(unused)}")
    return sentences


def listed(names: Sequence[str]) -> str:
    """All of a few names, else the first and the last ones."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:4])}, … {', '.join(names[-2:])}"
