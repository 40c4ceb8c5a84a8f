"""Whether a system changed, by the names and times of its files: opens none of them and takes no lock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from munet.fs.tree import Tree
from munet.store.creation import MARKER

Stamp = tuple[int, int, int]  # inode, bytes, time of the last change in ns
Listing = dict[str, Stamp]

# A folder's own time says whether a name in it came, went or was replaced, which is how munet writes. It is not trusted
# while it is this young, for two changes may fall into one tick of the clock; and now and then all files are looked at
# all the same, for whoever damages a file may do it in place.
_SETTLED = 2.0  # seconds
_TRUST = 30.0


@dataclass(frozen=True)
class Look:
    """What one look at a system's files found. Two looks are equal when no record changed in between."""

    marker: Stamp | None  # None: there is no system (any more)
    tasks: Listing
    runs: tuple[tuple[str, Listing], ...]  # oldest run first
    objects: tuple[int, ...] = field(compare=False)  # changes with what gc removes, and with what a child brings
    newest: float = field(compare=False)  # when a record was last written; 0 before the first


class Files:
    """Looks at the files of one system again and again, which takes a few calls to the kernel where nothing changed."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._tree = Tree(path)
        self._clock = clock
        self._known: dict[str, tuple[tuple[int, int], float, Listing]] = {}

    def look(self) -> Look:
        """The state of the files now. Never raises: what cannot be seen is not there."""
        tasks = self._folder("tasks")
        runs = tuple((name, self._folder(f"runs/{name}")) for name in self._run_names())
        stamps = [stamp for listing in (tasks, *(files for _, files in runs)) for stamp in listing.values()]
        newest = max((stamp[2] for stamp in stamps), default=0) / 1e9
        return Look(self._stamp(self.path / MARKER), tasks, runs, self._objects(), newest)

    def _run_names(self) -> list[str]:
        return sorted((name for name in self._names(self.path / "runs") if name.isdecimal()), key=int)

    def _folder(self, name: str) -> Listing:
        """The records in a folder. The same object as before where nothing changed, so that comparing is quick."""
        path, now = self.path / name, self._clock()
        stamp = self._stamp(path)
        if stamp is None:
            return {}
        own = (stamp[0], stamp[2])
        known = self._known.get(name)
        if known and known[0] == own and known[1] > now:
            return known[2]
        listing = self._listing(path)
        if known and known[2] == listing:
            listing = known[2]
        settled = now - stamp[2] / 1e9 > _SETTLED
        self._known[name] = (own, now + _TRUST if settled else 0.0, listing)
        return listing

    def _objects(self) -> tuple[int, ...]:
        """Times of the folders of models and layers: at most 512 of them, whatever they hold."""
        kinds = [self.path / kind for kind in ("models", "layers")]
        shards = (folder / shard for folder in kinds for shard in self._names(folder) if len(shard) == 2)
        stamps = map(self._stamp, shards)
        return tuple(stamp[2] for stamp in stamps if stamp)

    def _stamp(self, path: Path) -> Stamp | None:
        found = self._tree.state(path)
        return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None

    def _names(self, folder: Path) -> list[str]:
        try:
            return self._tree.names(folder)
        except OSError:
            return []

    def _listing(self, folder: Path) -> Listing:
        """The records in a folder; what a writer has not given its name yet is left out."""
        names = (name for name in self._names(folder) if name.endswith(".json") and name[0] != ".")
        stamps = ((name, self._stamp(folder / name)) for name in names)
        return {name: stamp for name, stamp in stamps if stamp}
