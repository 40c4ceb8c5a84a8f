"""Immutable objects in sharded folders, each in a file named by the id of its content: `ab/cdef….suffix`."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from munet.errors import InputError, StoreError
from munet.fs.atomic import explained, make_folder, sync_folder, write_atomic
from munet.store.records import DamagedFile

_ID = re.compile(r"[0-9a-f]{64}")


def is_id(value: object) -> bool:
    """Whether a value is spelled as an id: 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def sha256_of(data: bytes) -> str:
    """The id of objects that are nothing but bytes."""
    return hashlib.sha256(data).hexdigest()


class Objects:
    """The objects of one kind. `identify` gives the id of an object's bytes; it raises ValueError for other bytes."""

    def __init__(self, folder: Path, kind: str, suffix: str, identify: Callable[[bytes], str]):
        self.folder = folder
        self._base = str(folder)
        self.kind = kind
        self._suffix = suffix
        self._identify = identify
        self._durable: set[Path] = set()  # shards that this process has seen flushed

    def path(self, id: str) -> Path:
        """Where an object is kept, whether it is there or not."""
        return Path(self.file(id))

    def file(self, id: str) -> str:
        """`path` as text, which for thousands of small files takes less time to make than they take to open."""
        if not is_id(id):
            raise InputError(f"{id!r} is no {self.kind} id: it takes 64 hexadecimal digits, as `munet log` prints them")
        return f"{self._base}/{id[:2]}/{id[2:]}{self._suffix}"

    def put(self, data: bytes) -> str:
        """Keep these bytes, once, and return their id. On return they survive a power cut."""
        id = self._identify(data)
        path = self.path(id)
        if path.parent not in self._durable:
            make_folder(path.parent)
            self._durable.add(path.parent)
        # What is there is read, not trusted: acknowledging a damaged file would lose the good bytes in our hands.
        if self.fault(id) is None:
            with explained("write", path, len(data)):
                sync_folder(path.parent)  # another process may have named it and not flushed the name yet
        else:
            write_atomic(path, data)
        return id

    def get(self, id: str, verify: bool = True) -> bytes:
        """An object's bytes, re-hashed unless `verify` is false. Raises DamagedError when they are missing or wrong."""
        data, fault = self._read(id, verify)
        if fault is not None:
            raise DamagedFile(self.path(id), fault, self.folder.parent)
        return data

    def fault(self, id: str) -> str | None:
        """What is wrong with a stored object, to be put behind its file name, or None."""
        return self._read(id, verify=True)[1]

    def has(self, id: str) -> bool:
        """Whether an object is there; its content is not looked at."""
        return os.path.isfile(self.file(id))

    def ids(self) -> Iterator[str]:
        """Ids of all objects, sorted."""
        return (id for ids, _ in self._listings() for id in ids)

    def starting_with(self, prefix: str) -> list[str]:
        """Ids that start with at least 2 hexadecimal digits."""
        return [id for id in self._listing(prefix[:2])[0] if id.startswith(prefix)]

    def strangers(self) -> Iterator[Path]:
        """Files that are no objects: what killed writers left, and what others put here."""
        return (file for _, files in self._listings() for file in files)

    def listing(self) -> tuple[list[str], list[Path]]:
        """`ids` and `strangers` in one reading of the folders."""
        ids, strangers = list[str](), list[Path]()
        for some, others in self._listings():
            ids += some
            strangers += others
        return ids, strangers

    def _read(self, id: str, verify: bool) -> tuple[bytes, str | None]:
        path = self.file(id)
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            return b"", "is missing"
        except PermissionError as error:
            raise StoreError(f"cannot read {path}: no permission; have its owner run this") from error
        except OSError as error:
            return b"", f"cannot be read ({error.strerror})"
        return data, self._mismatch(id, data) if verify else None

    def _mismatch(self, id: str, data: bytes) -> str | None:
        try:
            found = self._identify(data)
        # Garbled bytes can break a reader in any of these ways, and all of them mean the same.
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            return f"is cut short or garbled ({error})"
        return None if found == id else f"holds other content than its name says (content {found[:12]}…)"

    def _listings(self) -> Iterator[tuple[list[str], list[Path]]]:
        names = sorted(os.listdir(self._base)) if os.path.isdir(self._base) else []  # older systems have no listings
        return (self._listing(name) for name in names)

    def _listing(self, shard: str) -> tuple[list[str], list[Path]]:
        """Ids and other files of one folder, sorted."""
        folder = f"{self._base}/{shard}"
        try:
            names = sorted(os.listdir(folder))
        except FileNotFoundError:
            return [], []
        except NotADirectoryError:
            return [], [Path(folder)]
        ids, strangers = list[str](), list[Path]()
        for name in names:
            id = shard + name.removesuffix(self._suffix)
            if name.endswith(self._suffix) and is_id(id):
                ids.append(id)
            else:
                strangers.append(Path(folder, name))
        return ids, strangers
