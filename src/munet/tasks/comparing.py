"""What a source holds now beside what a task was recorded with, image by image."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from munet.errors import InputError
from munet.store.consistent import consistent
from munet.store.objects import is_id
from munet.store.schema import TaskRecord
from munet.store.store import Store
from munet.tasks.dealing import NEW
from munet.tasks.listing import entries, fingerprint_of
from munet.tasks.reading import list_images
from munet.tasks.reopen import split_in
from munet.tasks.sources import open_source
from munet.tasks.sources.base import Source
from munet.tasks.sources.view import arranged
from munet.tasks.splits import PARTS
from munet.text import counted


@dataclass(frozen=True)
class _Place:
    """Where an image was when the task was recorded."""

    split: str  # of the source
    part: int  # place in PARTS
    label: int


@dataclass
class Changes:
    """What a source holds now beside what was recorded. `held`: for each split of the source the part of each example,
    a place in PARTS, or NEW."""

    held: dict[str, np.ndarray] = field(default_factory=dict)
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    contents: dict[str, list[bytes]] = field(default_factory=dict)
    copies: set[tuple[str, int]] = field(default_factory=set)  # split of the source and place; new, of known content
    gone: Counter[int] = field(default_factory=Counter)  # by part
    relabelled: int = 0

    @property
    def new(self) -> int:
        return len(self.copies) + sum(int(np.count_nonzero(held == NEW)) for held in self.held.values())

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.relabelled)


def compare(store: Store, record: TaskRecord, source: Source) -> Changes | None:
    """What a source holds beside what was recorded, image by image. None where the record has no listings."""
    known = _known(store, record, source)
    if known is None:
        return None
    found, counts = Changes(), source.counts()
    left = Counter({content: len(places) for content, places in known.items()})
    for split in splits_of(record):
        if split not in counts:
            continue
        held, labels, contents = [], [], []
        for row, (content, label) in enumerate(entries(list_images(source, [(split, 0, counts[split])]))):
            place = _take(known.get(content), split)
            left[content] -= 1
            held.append(NEW if place is None else place.part)
            if place is not None and left[content] < 0:
                found.copies.add((split, row))
            elif place is not None:
                found.relabelled += place.label != label
            labels.append(label)
            contents.append(content)
        found.held[split], found.labels[split] = np.array(held, np.int64), np.array(labels, np.int64)
        found.contents[split] = contents
    for content, count in left.items():
        if count > 0:
            found.gone[known[content][0].part] += count
    return found


def _take(places: list[_Place] | None, split: str) -> _Place | None:
    """The place of an image of this content: in the same split of the source, if it was there; copies beyond those that
    were recorded have the place of the last one."""
    if not places:
        return None
    place = next((place for place in places if place.split == split), places[0])
    if len(places) > 1:
        places.remove(place)
    return place


def splits_of(record: TaskRecord) -> list[str]:
    """The splits of the source that the task uses."""
    return list(dict.fromkeys(str(split) for part in PARTS for split, _, _ in record["splits"][part]["ranges"]))


def _known(store: Store, record: TaskRecord, source: Source) -> dict[bytes, list[_Place]] | None:
    """The images of a task by their content, from its listings, or from a source that still holds them."""
    known: dict[bytes, list[_Place]] = {}
    for number, part in enumerate(PARTS):
        listing = _stored_listing(store, record, part) or _listing_now(record, part, source)
        if listing is None:
            return None
        for (split, _), (content, label) in zip(examples_of(record, part), entries(listing), strict=True):
            known.setdefault(content, []).append(_Place(split, number, label))
    return known


def _stored_listing(store: Store, record: TaskRecord, part: str) -> bytes | None:
    """None where an earlier version, which wrote none, added the task."""
    id = record["splits"][part]["fingerprint"].removeprefix("sha256:")
    return store.listings.get(id) if is_id(id) and store.listings.has(id) else None


def _listing_now(record: TaskRecord, part: str, source: Source) -> bytes | None:
    try:
        of_now: TaskRecord = {**record, "classes": list(source.classes)}
        found = split_in(source, of_now, part)
    except InputError:
        return None  # too few examples are left
    listing = found.list_images()
    return listing if fingerprint_of(listing) == found.recorded else None


def examples_of(record: TaskRecord, part: str) -> Iterator[tuple[str, int]]:
    """Which examples of the source a split was recorded with: split and place in it."""
    for split, start, stop in record["splits"][part]["ranges"]:
        yield from ((str(split), index) for index in range(int(start), int(stop)))


def changes_told(store: Store, name: str) -> str | None:
    """A sentence on what changed since a task was recorded, for those who go on all the same. None where nothing did.

    What the splits' ranges select now need not be what they selected then: new images shift the others.
    """
    return consistent(store, lambda: _changes_told(store, name))


def _changes_told(store: Store, name: str) -> str | None:
    record = store.read_task(name)
    source = open_source(record["source"])
    source.take_numbers(record["classes"])
    if set(source.classes) != set(record["classes"]):
        return None  # refused in any case
    source = arranged(source, record["classes"])
    changes = compare(store, record, source)
    if changes is None:
        return f"{name}: the images changed, and the record does not tell which of them are new"
    if not changes:
        return None
    now = {split: np.full(len(held), NEW) for split, held in changes.held.items()}
    for number, part in enumerate(PARTS):
        for split, place in examples_of(record, part):
            if split in now and place < len(now[split]):
                now[split][place] = number
    pairs = [(changes.held[split], now[split]) for split in now]
    unused = sum(int(np.count_nonzero((held == NEW) & (there == NEW))) for held, there in pairs)
    moved = sum(int(np.count_nonzero((held != NEW) & (there != NEW) & (held != there))) for held, there in pairs)
    facts = [f"{counted(changes.new, 'image')} new, {unused:,} of them unused", f"{changes.gone.total():,} gone"]
    if moved:
        facts.append(f"{moved:,} of the others in another split than before")
    return f"{name}: {', '.join(facts)}; `munet update {store.path} {name}` takes all and leaves the old ones in place"
