"""A task as data: `add` looks at a source once and makes the record, `load` reads a split by the record later."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.tasks.names import check_name
from munet.tasks.reopen import NO_DATA
from munet.tasks.splits import PARTS

if TYPE_CHECKING:
    import numpy as np

    from munet.tasks.sources.base import Source

Progress = Callable[[int, int], None]
"""Called with (examples done, examples in all)."""


@dataclass(frozen=True)
class Split:
    """One split in memory: images uint8 (N, H, W, C), C 1 or 3; labels int64 (N,); what was unusable."""

    images: "np.ndarray"
    labels: "np.ndarray"
    bad: list[str] = field(default_factory=list)


def add(
    name: str,
    source: str,
    *,
    train: str | None = None,
    validation: str | None = None,
    test: str | None = None,
    private: bool = False,
    skip_bad: bool = False,
    allow_overlap: bool = False,
    split_rule: str = "papers",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The data part of the record of a new task.

    `train`, `validation` and `test` are split expressions (`munet.tasks.splits`); which examples a missing one gets is
    told in `munet.tasks.planning.plan_splits`. Every image is read and decoded once; unusable ones raise InputError, or
    are left out and counted with `skip_bad`. Nothing is written.
    """
    from munet.tasks.checks import check_classes
    from munet.tasks.planning import plan_splits
    from munet.tasks.reading import overall_fingerprint, read
    from munet.tasks.sources import open_source
    from munet.tasks.splits import size

    name = check_name(name)
    opened = open_source(source)
    given = {"train": train, "validation": validation, "test": test}
    plan = plan_splits(opened.counts(), given, rule=split_rule, allow_overlap=allow_overlap)
    check_classes(opened, plan, {part: _labels(opened, plan[part].ranges) for part in PARTS})  # before the slow reading
    total, done, readings = sum(size(plan[part].ranges) for part in PARTS), 0, {}
    for part in PARTS:
        report = None if progress is None else (lambda n, _, before=done: progress(before + n, total))
        readings[part] = read(opened, plan[part].ranges, skip_bad=skip_bad, progress=report)
        done += size(plan[part].ranges)
    check_classes(opened, plan, {part: readings[part].labels for part in PARTS})
    splits = {
        part: {
            "expression": plan[part].expression,
            "ranges": [list(piece) for piece in plan[part].ranges],
            "examples": len(readings[part].labels),
            "fingerprint": readings[part].fingerprint,
        }
        for part in PARTS
    }
    return {
        "name": name,
        "source": opened.address,
        "private": private,
        "classes": list(opened.classes),
        "splits": splits,
        "fingerprint": overall_fingerprint(opened.classes, {part: readings[part].fingerprint for part in PARTS}),
        "skip_bad": skip_bad,
        "skipped": sum(len(reading.bad) for reading in readings.values()),
    }


def load(
    record: dict[str, Any],
    split: str,
    *,
    side: int | None = None,
    allow_changed: bool = False,
    progress: Progress | None = None,
) -> Split:
    """Read one split of a recorded task.

    Images of one common size up to `side` stay as they are; others become (side, side). InputError when the content
    is not what it was when the task was added, unless `allow_changed`; other classes are always refused.
    """
    from munet.tasks.reopen import find_split
    from munet.tasks.stack import Gathering

    found = find_split(record, split)
    gathering = Gathering(found.examples, side)
    reading = found.read(gathering.add, side, progress)
    if not allow_changed:
        found.refuse_changed(reading.fingerprint)
    return Split(gathering.array(), reading.labels, reading.bad)


def _labels(source: "Source", ranges: Any) -> "np.ndarray":
    import numpy as np

    return np.concatenate([source.labels(split)[start:stop] for split, start, stop in ranges])


def without_data(name: str, classes: int, *, private: bool) -> dict[str, Any]:
    """The data part of the record of a task whose images are not known: classes are named by their numbers."""
    part = {"expression": "none", "ranges": [], "examples": 0, "fingerprint": ""}
    return {
        "name": name,
        "source": NO_DATA,
        "private": private,
        "classes": [str(number) for number in range(classes)],
        "splits": {split: dict(part) for split in ("train", "validation", "test")},
        "fingerprint": f"{NO_DATA}{name}",
        "skip_bad": False,
        "skipped": 0,
    }


def with_data(name: str, source: str, outputs: int, *, private: bool, **options: Any) -> dict[str, Any]:
    """The data part of the record of an imported task, as `munet.tasks.add` makes it. InputError also where the
    classes are not as many as the `outputs` of its head."""
    data = add(name, source, private=private, **options)
    if len(data["classes"]) != outputs:
        raise InputError(
            f"the head of task '{name}' has {outputs} outputs, {data['source']} has {len(data['classes'])} classes: "
            "give the images that it was trained on"
        )
    return data
