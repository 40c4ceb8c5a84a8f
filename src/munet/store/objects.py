"""Immutable objects in sharded folders, each in a file named by the id of its content: `ab/cdef….suffix`."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from munet.errors import InputError, StoreError
from munet.fs.atomic import explained
from munet.fs.folders import StrangeFileError
from munet.fs.tree import Tree
from munet.store.records import DamagedFile

_ID = re.compile(r"[0-9a-f]{64}")


def is_id(value: object) -> bool:
    """Whether a value is spelled as an id: 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


MISSING = "is missing"


def sha256_of(data: bytes) -> str:
    """The id of objects that are nothing but bytes."""
    return hashlib.sha256(data).hexdigest()


class MissingObject(DamagedFile):
    """An object that is not there. Whoever read a ref before asks `consistent` whether that is damage."""

    def __init__(self, path: Path, system: Path, kind: str, id: str):
        super().__init__(path, MISSING, system)
        self.what = kind
        self.id = id


class Objects:
    """The objects of one kind. `identify` gives the id of an object's bytes; it raises ValueError for other bytes.

    Where the folder `may_lack`, as it does in systems of before there was this kind, it holds nothing.
    """

    def __init__(
        self, folder: Path, kind: str, suffix: str, identify: Callable[[bytes], str], *, may_lack: bool = False
    ):
        self.folder = folder
        self._files = Tree(folder.parent)
        self._base = str(folder)
        self.kind = kind
        self._suffix = suffix
        self._identify = identify
        self._may_lack = may_lack
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
            if self._may_lack and not self._files.has(self.folder):
                self._files.make_folder(self.folder)
            self._files.make_folder(path.parent)
            self._durable.add(path.parent)
        # What is there is read, not trusted: acknowledging a damaged file would lose the good bytes in our hands.
        if self.fault(id) is None:
            self._files.flush_folder(path.parent)  # another process may have named it and not flushed the name yet
        else:
            self._files.write(path, data)
        return id

    def get(self, id: str, verify: bool = True) -> bytes:
        """An object's bytes, re-hashed unless `verify` is false. Raises DamagedError when they are missing or wrong."""
        data, fault = self._read(id, verify)
        if fault == MISSING:
            raise MissingObject(self.path(id), self.folder.parent, self.kind, id)
        if fault is not None:
            raise DamagedFile(self.path(id), fault, self.folder.parent)
        return data

    def fault(self, id: str) -> str | None:
        """What is wrong with a stored object, to be put behind its file name, or None."""
        return self.examined(id)[1]

    def examined(self, id: str) -> tuple[bytes, str | None]:
        """An object's bytes, and what is wrong with them as in `fault`."""
        return self._read(id, verify=True)

    def has(self, id: str) -> bool:
        """Whether an object is there; its content is not looked at."""
        return self._files.has_file(self.file(id))

    def ids(self) -> Iterator[str]:
        """Ids of all objects, sorted."""
        return (id for ids, _ in self._listings() for id in ids)

    def starting_with(self, prefix: str) -> list[str]:
        """Ids that start with at least 2 hexadecimal digits."""
        return [id for id in self._listing(prefix[:2])[0] if id.startswith(prefix)]

    def strangers(self) -> Iterator[Path]:
        """Files that are no objects: what killed writers left, and what others put here."""
        return (file for _, files in self._listings() for file in files)

    def _read(self, id: str, verify: bool) -> tuple[bytes, str | None]:
        path = self.file(id)
        try:
            data = self._files.read(path)
        except FileNotFoundError:
            return b"", MISSING
        except StrangeFileError as error:
            return b"", str(error.strerror)
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
        with explained("list", self.folder):
            shards = [] if self._may_lack and not self._files.has(self.folder) else self._files.names(self.folder)
        return (self._listing(name) for name in shards)

    def _listing(self, shard: str) -> tuple[list[str], list[Path]]:
        """Ids and other files of one folder, sorted."""
        folder = f"{self._base}/{shard}"
        try:
            entries = self._files.entries(folder)
        except FileNotFoundError:
            return [], []
        except StrangeFileError:
            return [], [Path(folder)]
        except OSError:
            with explained("list", folder):
                raise
        ids, strangers = list[str](), list[Path]()
        for name, plain in entries:
            id = shard + name.removesuffix(self._suffix)
            if plain and name.endswith(self._suffix) and is_id(id):
                ids.append(id)
            else:
                strangers.append(Path(folder, name))
        return ids, strangers
