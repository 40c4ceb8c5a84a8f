"""Layers that a system counts on and does not hold yet: where they lie, and how they come when they are used.

`promised.json` tells for each place which layers lie there, and how many bytes each may have. It is there where
somebody cloned without weights. A layer that has come stays in it until the next collection.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import TypedDict

from munet.errors import StoreError
from munet.fs import locks
from munet.fs.bucket import Bucket, DamagedObject
from munet.fs.buckets import bucket_at
from munet.fs.opened import is_remembered, remember
from munet.fs.tree import Tree
from munet.store.layer_file import LayerFormatError, id_of_bytes, refuse_infinite
from munet.store.reading import read_record
from munet.store.records import FORMAT, seal

FILE = "promised.json"
LOCK = ".promised"


class _Promised(TypedDict):
    format: int
    places: dict[str, dict[str, int]]  # address -> layer id -> bytes at most


class Promises:
    """The layers of the system at `path` that lie elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = Tree(path)
        self._read: tuple[object, dict[str, dict[str, int]]] = (None, {})  # the state of the file, what it held
        self._buckets: dict[str, Bucket] = {}

    def __contains__(self, id: str) -> bool:
        return any(id in layers for layers in self.places.values())

    @property
    def places(self) -> Mapping[str, Mapping[str, int]]:
        """Address -> layer id -> bytes at most. Raises DamagedError."""
        found = self._files.state(self.path / FILE)
        state = None if found is None else (found.st_mtime_ns, found.st_ino, found.st_size)
        if state != self._read[0]:
            record = read_record(self._files, self.path / FILE, _Promised, lambda record: [])
            self._read = (state, {} if record is None else record["places"])
        return self._read[1]

    def layers(self) -> Iterator[str]:
        """Ids of all promised layers, be they here by now or not."""
        return (id for layers in self.places.values() for id in layers)

    def add(self, place: str, layers: Mapping[str, int]) -> None:
        """Count on layers that lie at an address. On return that survives a power cut, and the address may be read."""
        remember([place])
        with locks.exclusive(self.path / LOCK):
            known = self.places
            self._write({**known, place: {**known.get(place, {}), **layers}})

    def keep(self, layers: Collection[str]) -> None:
        """Forget all but these layers."""
        if not self.places:
            return
        with locks.exclusive(self.path / LOCK):
            left = {place: {id: most for id, most in ids.items() if id in layers} for place, ids in self.places.items()}
            if left != self.places:
                self._write(left)

    def fetch(self, id: str) -> bytes:
        """A promised layer, checked. StoreError where its place cannot be read, or was named by no one on this machine;
        DamagedError for what is wrong."""
        place, most = next((place, layers[id]) for place, layers in self.places.items() if id in layers)
        if not is_remembered(place):
            raise StoreError(
                f"layer {id[:10]} of {self.path} lies at {place}, which nobody on this machine has asked for: "
                f"`munet remote add {self.path} NAME {place}` says that it may be read",
                kind="remote",
            )
        key = f"layers/{id[:2]}/{id[2:]}.safetensors"
        try:
            data = self._data(place, key, most)
        except StoreError as error:
            raise StoreError(
                f"layer {id[:10]} of {self.path} is not here, it lies at {place}, which cannot be read now: {error}",
                kind="remote",
            ) from error
        if data is None:
            way = f"`munet pull {quote(str(self.path))}` may know better"
            raise DamagedObject(place, key, f"is missing, and {self.path} counts on it: {way}")
        try:
            if id_of_bytes(data) != id:
                raise DamagedObject(place, key, "holds other content than its name says")
            refuse_infinite(data)
        except LayerFormatError as error:
            raise DamagedObject(place, key, f"is no layer: {error}") from error
        return data

    def _data(self, place: str, key: str, most: int) -> bytes | None:
        if "://" in place:
            if place not in self._buckets:
                self._buckets[place] = bucket_at(place)
            return self._buckets[place].get(key, most)[0]
        files = Tree(Path(place))
        try:
            data = files.read(Path(place) / key, most + 1)
        except FileNotFoundError as error:
            if Path(place).is_dir():
                return None
            raise StoreError(f"{place} is not there") from error
        except OSError as error:
            raise StoreError(str(error.strerror)) from error
        if len(data) > most:
            raise DamagedObject(place, key, f"has more than {most} bytes")
        return data

    def _write(self, places: Mapping[str, Mapping[str, int]]) -> None:
        left = {place: dict(layers) for place, layers in places.items() if layers}
        self._files.write(self.path / FILE, seal({"format": FORMAT, "places": left}, "the list of promised layers"))
