"""A task as data: `add` looks at a source once and makes the record, `load` reads a split by the record later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from munet.errors import InputError
from munet.store.schema import SplitRecord, TaskData, split_record, task_data
from munet.tasks.names import check_name
from munet.tasks.reopen import NO_DATA
from munet.tasks.splits import PARTS

if TYPE_CHECKING:
    import numpy as np

    from munet.tasks.form import Form
    from munet.tasks.planning import Selection
    from munet.tasks.reading import Reading
    from munet.tasks.sources.base import Source
    from munet.tasks.splits import Range

Progress = Callable[[int, int], None]
"""Called with (examples done, examples in all)."""


@dataclass(frozen=True)
class Split:
    """One split in memory: images uint8 (N, H, W, C), C 1 or 3; labels int64 (N,); what was unusable.

    `check`, where there is one, is to be called with the indices of images, int64, before they are used: StoreError
    where they are not as they were decoded.
    """

    images: "np.ndarray"
    labels: "np.ndarray"
    bad: list[str] = field(default_factory=list)
    check: "Callable[[np.ndarray], None] | None" = None


@dataclass(frozen=True)
class TaskOptions:
    """How a task is made of a source of images.

    `train`, `validation` and `test` are split expressions (`munet.tasks.splits`); `munet.tasks.planning.plan_splits`
    tells which examples a missing one gets under `split_rule`, and when `allow_overlap` is needed. Others may build on
    the task unless it is `private`. With `skip_bad`, images that cannot be used are left out and counted. One
    image in two splits or under two classes is refused, unless `allow_duplicates`. A class with a single
    image is refused, unless `rare` is "keep", which trains on it, or "drop", which leaves out classes of fewer than
    three.
    """

    train: str | None = None
    validation: str | None = None
    test: str | None = None
    private: bool = False
    skip_bad: bool = False
    allow_overlap: bool = False
    split_rule: str = "papers"
    allow_duplicates: bool = False
    rare: str | None = None

    @property
    def given(self) -> dict[str, str | None]:
        """The expression of each split."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


class Taking(Protocol):
    """Who takes the images of a task while they are read, so that they are decoded once (`cache.filling`)."""

    def start(
        self, part: str, source: "Source", ranges: "Sequence[Range]", train: "Reading | None"
    ) -> "tuple[Form, Callable[[np.ndarray], bool]] | None":
        """What the images of a split are made, and who takes them until it returns False; None where nobody does.
        `train` is what was read of the train split, which comes first."""
        ...

    def keep(self, record: TaskData, source: "Source", readings: "Mapping[str, Reading]") -> None:
        """What was taken is what `record` says."""
        ...


AS_IT_IS = TaskOptions()
"""The splits of the source, missing ones cut as the papers do; every image has to be usable."""


def add(
    name: str,
    source: str,
    options: TaskOptions = AS_IT_IS,
    *,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
    keep: Callable[[bytes], object] | None = None,
    taking: Taking | None = None,
) -> TaskData:
    """The data part of the record of a new task.

    Every image is read and decoded once; `tell` gets one sentence for each thing that a person should know of how the
    source was read, such as what was guessed and left out; `keep` gets the listing of each split, `taking` the images.
    InputError where an image is unusable, unless `options.skip_bad`, and where the splits cannot be learned from.
    Nothing else is written.
    """
    from munet.tasks.checks import check_classes
    from munet.tasks.duplicates import find_duplicates, refuse, told_of
    from munet.tasks.lookalikes import find_lookalikes, told_of_lookalikes
    from munet.tasks.sources import open_source
    from munet.tasks.telling import told
    from munet.tasks.trust import trust
    from munet.tasks.white import check_white, told_of_white

    name = check_name(name)
    opened = open_source(_without_rare(source) if options.rare == "drop" else source, progress)
    opened.take_guesses()
    opened.refuse_doubtful()
    if tell is not None:
        for note in opened.notes():
            tell(note)
    plan = _plan(opened, options, tell)  # before the slow reading
    readings = read_parts(opened, plan, skip_bad=options.skip_bad, progress=progress, taking=taking)
    labels = {part: readings[part].labels for part in PARTS}
    check_classes(opened, plan, labels, rare=options.rare == "keep")
    check_white(opened, readings)
    duplicates = find_duplicates(readings)
    if not options.allow_duplicates:
        refuse(duplicates, opened.address, opened.name)
    if tell is not None:
        alike = find_lookalikes(readings)
        for sentence in (
            *told_of_white(opened, readings),
            *told_of(duplicates, opened.name),
            *told_of_lookalikes(alike, readings, opened.name),
            *told(opened, plan, labels),
        ):
            tell(sentence)
    trust([opened.address])
    if keep is not None:
        for reading in readings.values():
            keep(reading.listing)
    data = data_of(name, opened, plan, readings, private=options.private, skip_bad=options.skip_bad)
    if taking is not None:
        taking.keep(data, opened, readings)
    return data


def _without_rare(address: str) -> str:
    """The address of a source without the classes that cannot be in all three splits."""
    from munet.tasks.sources.base import split_address

    return f"{address}{'&' if split_address(address)[1] else '?'}least={len(PARTS)}"


def read_parts(
    source: "Source",
    plan: "Mapping[str, Selection]",
    *,
    skip_bad: bool,
    progress: Progress | None = None,
    taking: Taking | None = None,
) -> "dict[str, Reading]":
    """Every image of the three splits, decoded once to be checked, and taken by whoever is `taking` them. InputError as
    `munet.tasks.reading.read`."""
    from munet.tasks.lookalikes import looks
    from munet.tasks.reading import Reading, read
    from munet.tasks.splits import size

    total, done, readings = sum(size(plan[part].ranges) for part in PARTS), 0, dict[str, Reading]()
    look = looks()
    for part in PARTS:
        report = None if progress is None else (lambda n, _, before=done: progress(before + n, total))
        ranges = plan[part].ranges
        started = None if taking is None else taking.start(part, source, ranges, readings.get("train"))
        form, to = started or (None, None)
        readings[part] = read(source, ranges, form=form, to=to, skip_bad=skip_bad, progress=report, look=look)
        done += size(plan[part].ranges)
    return readings


def data_of(
    name: str,
    source: "Source",
    plan: "Mapping[str, Selection]",
    readings: "Mapping[str, Reading]",
    *,
    private: bool,
    skip_bad: bool,
) -> TaskData:
    """The data part of a record, from what was planned and read."""
    from munet.tasks.reading import overall_fingerprint

    return task_data(
        name,
        source.address,
        private=private,
        classes=source.classes,
        splits={part: _split_record(source, plan[part], readings[part]) for part in PARTS},
        fingerprint=overall_fingerprint(source.classes, {part: readings[part].fingerprint for part in PARTS}),
        skip_bad=skip_bad,
        skipped=sum(len(reading.bad) for reading in readings.values()),
    )


def load(
    record: TaskData,
    split: str,
    *,
    side: int | None = None,
    allow_changed: bool = False,
    progress: Progress | None = None,
) -> Split:
    """Read one split of a recorded task.

    Images come in the form of the task at `side` (`munet.tasks.form`). InputError when the content is not what it was
    when the task was added, unless `allow_changed`; other classes are always refused.
    """
    from munet.tasks.reopen import find_split
    from munet.tasks.stack import Gathering

    found = find_split(record, split)
    gathering = Gathering(found.examples, side)
    reading = found.read(gathering.add, side, progress)
    if not allow_changed:
        found.refuse_changed(reading.fingerprint)
    return Split(gathering.array(), reading.labels, reading.bad)


def _split_record(source: "Source", selection: "Selection", found: "Reading") -> SplitRecord:
    record = split_record(selection.expression, selection.ranges, len(found.labels), found.fingerprint)
    counts = {split: source.counts()[split] for split in dict.fromkeys(split for split, _, _ in selection.ranges)}
    size = list(found.size) if found.size else None
    return {**record, "size": size, "channels": found.channels, "counts": counts}


def _plan(source: "Source", options: TaskOptions, tell: Callable[[str], None] | None) -> "dict[str, Selection]":
    """The splits of a new task. Where those that have to be cut from train cannot be, or would lack classes that have
    images enough, they are cut class by class, and the address of the source says so."""
    from munet.tasks.checks import check_classes, refuse_single_images
    from munet.tasks.planning import plan_splits

    refuse_single_images(source)

    def plan() -> "tuple[dict[str, Selection], str]":
        found = plan_splits(
            source.counts(),
            options.given,
            rule=options.split_rule,
            allow_overlap=options.allow_overlap,
            blocks=source.blocks,
        )
        labels = {part: _labels(source, found[part].ranges) for part in PARTS}
        check_classes(source, found, labels, rare=options.rare == "keep")
        return found, _lacking(source, options, labels)

    usual, first = None, None
    try:
        usual, fault = plan()
    except InputError as error:
        first, fault = error, str(error)
    sliced = any("[" in expression for expression in options.given.values() if expression)  # they mean this order
    if not fault or sliced or "order" in source.options or source.order_kind == "stratified":
        if first is not None:
            raise first
        return usual or {}
    address = source.address
    source.stratify()
    try:
        found, _ = plan()
    except InputError as second:
        same = str(second).replace("&order=stratified", "").replace("?order=stratified", "") == fault
        if usual is None:
            raise (first if same and first else second) from None  # `same`: the order has nothing to do with it
        source.keep_order()
        return usual
    if tell is not None:
        if first is not None:
            fault = fault.removeprefix(f"{address}: ").rpartition(": ")[0]  # without the way out, which was taken
        tell(f"the splits are cut class by class (?order=stratified), for cut as usual {fault}")
    return found


def _lacking(source: "Source", options: TaskOptions, labels: "Mapping[str, np.ndarray]") -> str:
    """What splits that were cut from train lack although there are images enough, or nothing."""
    import numpy as np

    from munet.tasks.telling import lacks, lacks_needlessly

    found = {part: np.bincount(labels[part], minlength=len(source.classes)) for part in PARTS}
    cut = [part for part in ("validation", "test") if options.given[part] is None and part not in source.counts()]
    needless = [part for part in cut if lacks_needlessly(found, part)]
    names = {part: [source.classes[label] for label in np.flatnonzero(found[part] == 0)] for part in needless}
    return " and ".join(lacks(part, names[part]) for part in needless)


def _labels(source: "Source", ranges: Any) -> "np.ndarray":
    """The labels of those examples that have one."""
    import numpy as np

    from munet.tasks.sources.numbering import NO_CLASS

    labels = np.concatenate([source.labels(split)[start:stop] for split, start, stop in ranges])
    return labels[labels != NO_CLASS]


def without_data(name: str, classes: int, *, private: bool) -> TaskData:
    """The data part of the record of a task whose images are not known: classes are named by their numbers."""
    return task_data(
        name,
        NO_DATA,
        private=private,
        classes=[str(number) for number in range(classes)],
        splits={part: split_record() for part in PARTS},
        fingerprint=f"{NO_DATA}{name}",
    )


def with_data(
    name: str,
    source: str,
    outputs: int,
    options: TaskOptions = AS_IT_IS,
    *,
    progress: Progress | None = None,
    keep: Callable[[bytes], object] | None = None,
    taking: Taking | None = None,
) -> TaskData:
    """The data part of the record of an imported task, as `add` makes it. InputError also where the classes are not as
    many as the `outputs` of its head."""
    # What it was trained on is past changing: duplicates are no reason to refuse it.
    data = add(name, source, replace(options, allow_duplicates=True), progress=progress, keep=keep, taking=taking)
    if len(data["classes"]) != outputs:
        raise InputError(
            f"the head of task '{name}' has {outputs} outputs, {data['source']} has {len(data['classes'])} classes: "
            "give the images that it was trained on"
        )
    return data
