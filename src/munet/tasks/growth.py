"""A task that grew: images, perhaps classes, were added to its source. Its splits are planned again, and what was test
stays test."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from munet.errors import InputError
from munet.store.schema import OlderData, TaskRecord
from munet.store.store import Store
from munet.tasks.cache.filling import Filling
from munet.tasks.changing import refuse_unfinished
from munet.tasks.checks import check_classes
from munet.tasks.comparing import Changes, compare, examples_of
from munet.tasks.dealing import NEW, deal
from munet.tasks.duplicates import Duplicates, find_duplicates, refuse, told_of
from munet.tasks.lookalikes import find_lookalikes, told_of_lookalikes
from munet.tasks.planning import Selection
from munet.tasks.reading import Progress, Reading
from munet.tasks.record import data_of, read_parts
from munet.tasks.reopen import refuse_missing
from munet.tasks.sources import open_source
from munet.tasks.sources.base import Source
from munet.tasks.sources.view import arranged
from munet.tasks.splits import PARTS, Range, overlap, resolve
from munet.tasks.telling import listed, told
from munet.tasks.trust import refuse_received, trust
from munet.tasks.white import check_white
from munet.text import counted

Tell = Callable[[str], None]


def update(
    store: Store,
    name: str,
    *,
    image_size: int,
    extend: bool = False,
    allow_duplicates: bool = False,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> TaskRecord:
    """Take what the source of a task holds now; returns its record, which is replaced at once or not at all.

    Images that were in a split stay in it, wherever they lie now; new ones are dealt by the rule that the splits were
    made by. New classes come behind the old ones and need `extend`. The model stays; the record says that it is of
    older data. InputError: classes that are gone, a new image under two classes or in two splits (unless
    `allow_duplicates`), splits that could not be learned from, images that are all almost black, a record that does
    not tell its images. Images are kept decoded as by `munet.tasks.adding.add_to`.
    """
    say = tell or (lambda text: None)
    with store.evolving(name), Filling(image_size) as filling:
        record = store.read_task(name)
        refuse_unfinished(store, name, f"change the images of task '{name}'")
        refuse_received(record)
        refuse_missing(record)
        _refuse_overlap(record)
        opened = open_source(record["source"], progress)
        opened.take_numbers(record["classes"])
        source, new_classes = _classes(record, opened, extend=extend)
        for note in source.notes():
            say(note)
        changes = compare(store, record, source)
        if changes is None:
            raise InputError(
                f"the record of task '{name}' does not tell which images it had, for an earlier version made it, and "
                "they are not what they were: restore them and say this again, or add the data as a new task"
            )
        plan = _plan(record, source, changes, new_classes, say)
        readings = read_parts(source, plan, skip_bad=record["skip_bad"], progress=progress, taking=filling)
        check_classes(source, plan, {part: readings[part].labels for part in PARTS}, rare=True)
        check_white(source, readings, first="add them as a new task and ")  # nothing else changes it
        _check_duplicates(readings, changes, source, say, allowed=allow_duplicates)
        for sentence in told(source, plan, {part: readings[part].labels for part in PARTS}):
            say(sentence)
        with store.commit():
            for reading in readings.values():
                store.listings.put(reading.listing)
            if not changes and not new_classes:
                return record  # what an earlier version recorded has its listings now
            updated = _updated(record, source, plan, readings)
            filling.keep(updated, source, readings)
            trust([updated["source"]])
            store.write_task(updated)
    return updated


def _refuse_overlap(record: TaskRecord) -> None:
    pieces = [(str(name), int(i), int(j)) for part in PARTS for name, i, j in record["splits"][part]["ranges"]]
    if any(overlap([piece], pieces[k + 1 :]) for k, piece in enumerate(pieces)):
        raise InputError(
            f"the splits of task '{record['name']}' share images (--allow-overlap), so that none of them has one split "
            "to keep: add the data as a new task"
        )


def _classes(record: TaskRecord, source: Source, *, extend: bool) -> tuple[Source, list[str]]:
    """The source with the task's classes first, and those that are new."""
    name, before = record["name"], record["classes"]
    gone = [label for label in before if label not in source.classes]
    new = [label for label in source.classes if label not in before]
    if gone:
        raise InputError(
            f"{source.address}: {counted(len(gone), 'class')} of task '{name}' {'is' if len(gone) == 1 else 'are'} "
            f"gone ({listed(gone)}), but its models have answers for all of them: restore the images, or add the data "
            "as a new task",
            kind="changed-data",
        )
    if new and not extend:
        raise InputError(
            f"{source.address}: {counted(len(new), 'class')} that task '{name}' does not have ({listed(new)}): say "
            "--extend to teach it those too, or take them out",
            kind="changed-data",
        )
    if extend and not new:
        raise InputError(f"{source.address}: there is no class that task '{name}' does not have: leave --extend out")
    return arranged(source, [*before, *new]), new


def _plan(
    record: TaskRecord, source: Source, changes: Changes, new_classes: Sequence[str], say: Tell
) -> dict[str, Selection]:
    """The splits with the new images, told."""
    parts: dict[str, np.ndarray] = {}
    unused: Counter[str] = Counter()
    for split, held in changes.held.items():
        sizes = _sizes(record, source, split)
        new = held == NEW
        if sizes is None:
            unused[split] = int(np.count_nonzero(new))
            parts[split] = held
            continue
        labels = changes.labels[split]
        apart = labels[new] if source.order_kind == "stratified" else labels[new & (labels >= len(record["classes"]))]
        parts[split] = _with_copies(deal(labels, held, sizes, np.unique(apart)), held, changes.contents[split])
    _tell(record, changes, parts, unused, new_classes, say)
    order = list(changes.held)
    return {
        part: Selection(record["splits"][part]["expression"], tuple(_ranges(parts, order, number)))
        for number, part in enumerate(PARTS)
    }


def _sizes(record: TaskRecord, source: Source, split: str) -> dict[int, int] | None:
    """How many examples of a split of the source each part should have now. None where some were left out of all parts
    on purpose, as `test[:1000]` does: then new ones are too."""
    counts = source.counts()
    before = [sum(name == split for name, _ in examples_of(record, part)) for part in PARTS]
    then = next((count for part in PARTS if (count := record["splits"][part].get("counts", {}).get(split))), None)
    if then is not None and sum(before) != then:
        return None
    try:
        ranges = [resolve(record["splits"][part]["expression"], counts) for part in PARTS]
        sizes = [sum(stop - start for name, start, stop in some if name == split) for some in ranges]
    except InputError:  # fewer are left than a slice asks for
        sizes = [0, 0, 0]
    if source.order_kind == "stratified" or sum(sizes) != counts[split]:
        if then is None and source.order_kind != "stratified":
            return None
        sizes = [round(size * counts[split] / sum(before)) for size in before]  # whole numbers: shares of then
    return {number: size for number, size in enumerate(sizes) if size}


def _with_copies(parts: np.ndarray, held: np.ndarray, contents: Sequence[bytes]) -> np.ndarray:
    """A new image that is there twice is in one split."""
    first: dict[bytes, int] = {}
    for row in np.flatnonzero(held == NEW).tolist():
        parts[row] = first.setdefault(contents[row], int(parts[row]))
    return parts


def _ranges(parts: Mapping[str, np.ndarray], order: Sequence[str], number: int) -> Iterator[Range]:
    """The examples of one part as few ranges."""
    for split in order:
        rows = np.flatnonzero(parts[split] == number)
        for piece in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            if len(piece):
                yield split, int(piece[0]), int(piece[-1]) + 1


def _tell(
    record: TaskRecord,
    changes: Changes,
    parts: Mapping[str, np.ndarray],
    unused: Mapping[str, int],
    new_classes: Sequence[str],
    say: Tell,
) -> None:
    if not changes:
        say("nothing is new")
    dealt = Counter(int(part) for split, held in changes.held.items() for part in parts[split][held == NEW])
    dealt.update(int(parts[split][row]) for split, row in changes.copies)
    placed = ", ".join(f"{dealt[number]:,} in {part}" for number, part in enumerate(PARTS) if dealt[number])
    if placed:
        say(f"{counted(sum(dealt.values()) - dealt[NEW], 'new image')}: {placed}")
    for split, count in unused.items():
        if count:
            expressions = "', '".join(record["splits"][part]["expression"] for part in PARTS)
            say(f"{counted(count, 'image')} of {split} left unused, as the splits ('{expressions}') have it")
    for number, count in sorted(changes.gone.items()):
        say(f"{counted(count, 'image')} of {PARTS[number]} gone")
    if changes.relabelled:
        say(f"{counted(changes.relabelled, 'image')} under another class now")
    if new_classes:
        say(f"{counted(len(new_classes), 'new class')}: {listed(new_classes)}")


def _check_duplicates(
    readings: Mapping[str, Reading], changes: Changes, source: Source, say: Tell, *, allowed: bool
) -> None:
    """InputError for a new image that is there under another class too; what was there before is told."""
    found = find_duplicates(readings)

    def is_new(pair: Sequence[tuple[str, int]]) -> bool:
        return any(changes.held[split][row] == NEW or (split, row) in changes.copies for split, row in pair)

    new = Duplicates(
        {parts: some for parts, pairs in found.splits.items() if (some := list(filter(is_new, pairs)))},
        list(filter(is_new, found.classes)),
    )
    if not allowed:
        refuse(new, source.address, source.name)
    alike = find_lookalikes(readings)
    told_alike = told_of_lookalikes(alike, readings, source.name)
    for sentence in (*told_of(replace(found, alike=0), source.name), *told_alike):
        say(sentence)


def _updated(
    record: TaskRecord, source: Source, plan: Mapping[str, Selection], readings: Mapping[str, Reading]
) -> TaskRecord:
    data = data_of(record["name"], source, plan, readings, private=record["private"], skip_bad=record["skip_bad"])
    updated: TaskRecord = {**record, **data}
    if record["model"] is not None and "older" not in record:
        older: OlderData = {
            "model": record["model"],
            "fingerprint": record["fingerprint"],
            "classes": len(record["classes"]),
            "train": record["splits"]["train"]["examples"],
        }
        updated["older"] = older
    return updated
