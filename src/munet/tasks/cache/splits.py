"""The splits of the tasks, decoded once: small ones in memory, others memory-mapped and shared between processes.

`cachetools.LRUCache` has one size for each key and one bound. Here the same split may stand under several keys and
counts once, memory and maps have bounds of their own, and the last one stays however large it is.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from munet.store.schema import TaskData
from munet.tasks import Split
from munet.tasks.cache import Appeared, DecodedFolder, Making, cache_limit, stored
from munet.tasks.form import Form, decode_side
from munet.tasks.reopen import RecordedSplit, find_split

_ROOM = 4 << 30  # bytes of decoded images to hold in memory; mapped ones take none
_MAPS = 100  # mapped splits to hold, for each keeps a file open

Seen = dict[str, tuple[str, str]]
"""For splits whose content was read: the fingerprint it had, and a listing of its files (`RecordedSplit.listing`)."""


@dataclass(frozen=True)
class _Held:
    split: Split
    mapped: bool


class Splits:
    """Loads splits of tasks at the size a model needs, least recently used ones make room.

    A split of 64 MiB of images or more, or one that takes 3 s to decode, is kept in the folder of decoded splits
    (`munet.tasks.cache`) and mapped, so that other processes and later runs find it. Where that folder cannot be used
    the split stays in memory, and `notes` says why, one sentence for each reason.

    A source that changed since the task was added is refused, unless `allow_changed`, also where its decoded images are
    in the folder: once in a process, all of the source is read and hashed, though not decoded. `seen` spares processes
    that: given to another `Splits`, on this machine or one that shares its disk, the content counts as read there while
    no file of it has another size, time or inode.
    """

    def __init__(self, *, allow_changed: bool = False, seen: Mapping[str, tuple[str, str]] | None = None) -> None:
        cache_limit(0)  # a value that cannot be used is refused before anything starts
        self.notes: list[str] = []
        self.seen: Seen = dict(seen or {})
        self._now: dict[str, str] = {}  # fingerprints that this process knows
        self.allow_changed = allow_changed
        self._folder = DecodedFolder()
        self._held: OrderedDict[tuple[str, str, int], _Held] = OrderedDict()

    def get(self, record: TaskData, split: str, image_size: int, cap: int | None = None) -> Split:
        """A task's split as uint8 images for models with inputs of `image_size` pixels; its first `cap` examples.

        The arrays are shared: nobody writes to them. InputError where the data is missing, changed or unusable.
        """
        key = (record["name"], split, decode_side(image_size))
        if key not in self._held:
            self._held[key] = self._load(record, split, decode_side(image_size))
            self._make_room()
        self._held.move_to_end(key)
        held = self._held[key].split
        return held if cap is None else replace(held, images=held.images[:cap], labels=held.labels[:cap])

    def check(self, record: TaskData, image_size: int) -> None:
        """Read what a run will need of a task, so that changed or missing data is refused before anything starts."""
        for split in ("train", "validation", "test"):
            self.get(record, split, image_size)

    def _make_room(self) -> None:
        """Let go of what was used least lately. A split that serves several input sizes counts once."""
        for mapped, room in ((False, _ROOM), (True, _MAPS)):
            keys = [key for key, held in self._held.items() if held.mapped == mapped]
            while len(keys) > 1:
                kept = {id(split): split for split in (self._held[key].split for key in keys)}.values()
                if sum(1 if mapped else split.images.nbytes for split in kept) <= room:
                    break
                del self._held[keys.pop(0)]

    def _load(self, record: TaskData, split: str, side: int) -> _Held:
        wanted = Form.of(record, split, side).size
        for (name, part, other_side), held in self._held.items():
            shape = held.split.images.shape[1:3]
            # smaller than it was allowed to be: left as it is, and so it would be for any side that has room for it
            left = wanted is None and max(shape) < other_side and max(shape) <= side
            if (name, part) == (record["name"], split) and (left or shape == wanted):
                return held
        found = find_split(record, split)
        return self._stored(found, side) or self._decoded(found, side)

    def _stored(self, found: RecordedSplit, side: int) -> _Held | None:
        """What the folder has of a split, if the source still holds that."""
        decoded = stored(self._folder, found, found.recorded, side)
        if decoded is None and not self.allow_changed:
            return None  # decoding it will tell its fingerprint
        now = self._fingerprint(found, decoded.files_hash if decoded is not None else None)
        if now != found.recorded:
            if not self.allow_changed:
                found.refuse_changed(now)
            decoded = stored(self._folder, found, now, side)
        if decoded is None:
            return None
        check = decoded.blocks.check if decoded.blocks is not None else None
        return _Held(Split(decoded.images, decoded.labels, decoded.bad, check), True)

    def _fingerprint(self, found: RecordedSplit, files_hash: str | None) -> str:
        """The fingerprint of what a source holds now. `files_hash` is what its files had when it was the recorded."""
        if found.identity in self._now:
            return self._now[found.identity]
        listing, (before, seen) = found.listing(), self.seen.get(found.identity, ("", ""))
        if listing is not None and listing == seen:
            return self._know(found, before, listing)
        if files_hash is not None and files_hash == found.files_hash():
            return self._know(found, found.recorded, listing)
        return self._know(found, found.fingerprint(), listing)

    def _know(self, found: RecordedSplit, now: str, listing: str | None) -> str:
        """Remember a fingerprint that was taken after `listing`; tell others if no file changed in the meantime."""
        self._now[found.identity] = now
        if listing is not None and listing == found.listing():
            self.seen[found.identity] = (now, listing)
        return now

    def _decoded(self, found: RecordedSplit, side: int) -> _Held:
        """A split decoded now, or by another process while this one waited for it."""
        listing = found.listing()

        def accept(fingerprint: str) -> None:
            if not self.allow_changed:
                found.refuse_changed(fingerprint)
            self._know(found, fingerprint, listing)

        expected = self._now.get(found.identity, found.recorded)
        making = Making(self._folder, found, expected, side, self._note)
        try:
            return _Held(*making.decode(accept))
        except Appeared:
            # It may have gone again by now; and it may not be what the source holds now.
            return self._stored(found, side) or self._decoded(found, side)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
