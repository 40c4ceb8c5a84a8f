"""Where in a shard the files of its samples lie: the headers of a tar file, read once."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from munet.errors import InputError
from munet.tasks.sources.walk import is_packed

_BLOCK = 512
_LONGEST_HEADER = 16 << 20  # names and extensions of a member; more than that is damage, or meant to fill memory


@dataclass(frozen=True)
class Shard:
    """A tar file and its n samples, in the order of their first files: their names, and for each kind of file (`jpg`,
    `cls`: what follows the first dot of a name, in small letters) where it is, int64 (n, 2) of offset and size; the
    offset is 0 where a sample lacks it. `cut` where there is no end mark.

    Arrays, because a million samples as objects take a gigabyte.
    """

    path: Path
    names: list[str]
    files: dict[str, np.ndarray]
    cut: bool


def read_index(path: Path) -> Shard:
    """The samples of a shard. InputError where it is no tar file, damaged, cut short or compressed."""
    samples: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            after = 0  # where the next header begins
            for name, (offset, length), after in _members(file, size):  # noqa: B007
                if offset + length > size:
                    raise tarfile.ReadError(f"'{name}' goes on behind the end of the file")
                folder, slash, base = name.rpartition("/")
                stem, dot, suffix = base.partition(".")
                if not dot or not stem:
                    continue  # hidden files, and those without a suffix
                files = samples.setdefault(f"{folder}{slash}{stem}", {})
                if suffix.lower() in files:
                    raise tarfile.ReadError(f"'{name}' is there twice")
                files[suffix.lower()] = offset, length
            file.seek(after)
            mark = file.read(_BLOCK)
            if mark.strip(b"\0"):
                raise tarfile.ReadError(f"no header at byte {after:,}")
    except (tarfile.TarError, ValueError, OverflowError, EOFError, IndexError) as error:
        raise InputError(f"{path}: not a tar file, or damaged ({error}){_hint(path)}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    kinds = dict.fromkeys(kind for files in samples.values() for kind in files)
    places = {kind: np.array([files.get(kind, (0, 0)) for files in samples.values()], np.int64) for kind in kinds}
    return Shard(path, list(samples), places, not mark)


def _members(file: BinaryIO, size: int) -> Iterator[tuple[str, tuple[int, int], int]]:
    """Name, offset and size of each plain file, and where the next header begins."""
    with tarfile.open(fileobj=_Headers(file, size), mode="r:") as tar:  # type: ignore[arg-type]
        while (member := tar.next()) is not None:
            tar.members = []  # else all of them are kept  # pyright: ignore[reportAttributeAccessIssue]
            if member.isreg() and not member.issparse():
                yield member.name.removeprefix("./"), (member.offset_data, member.size), tar.offset
        yield "", (0, 0), tar.offset


class _Headers:
    """A file for reading headers: no read is longer than what is left of it, or than a header may be."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int) -> bytes:
        count = min(count, max(0, self._size - self._file.tell()))
        if count > _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {count:,} bytes")
        return self._file.read(count)


def _hint(path: Path) -> str:
    if path.name.endswith((".gz", ".tgz", ".zst", ".bz2", ".xz")):
        return ": unpack it to .tar once, for instance with gunzip, so that images can be read where they lie"
    if is_packed(path.name) and path.suffix.lower() != ".tar":
        return ": an archive of another kind: unpack it, and say folder:DIR where class folders come of it"
    return ""
