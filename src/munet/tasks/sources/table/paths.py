"""The file that a name in a table means: as it stands, with a suffix, or found by its last parts below a folder."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path, PureWindowsPath

from munet.errors import InputError
from munet.tasks.sources.walk import files_below, is_hidden


class Finder:
    """Looks for files below `root`, and for those that are not there in the folders beside it.

    A name may be absolute or relative, may have come from another machine (only its end counts then) or from Windows,
    and may lack the suffix. Where several files have the same name, the one whose path holds more of the `hints`.
    """

    def __init__(self, root: Path, suffixes: frozenset[str]) -> None:
        self.root = root
        self._suffixes = suffixes

    def find(self, name: str, hints: Sequence[str] = ()) -> Path | None:
        """The file, or None where there is none. InputError where it could be several."""
        files = self._candidates(name)
        return _best(files, _parts(name), hints, name) if len(files) > 1 else next(iter(files), None)

    def is_there(self, name: str) -> bool:
        """Whether some file has this name."""
        return bool(self._candidates(name))

    def _candidates(self, name: str) -> list[Path]:
        if not name or "\0" in name:
            return []
        direct = Path(name) if name.startswith("/") else self.root / name
        if _is_file(direct):
            return [direct]
        parts = _parts(name)
        return (self._below.get(parts[-1]) or self._beside.get(parts[-1])) if parts else []

    @cached_property
    def _below(self) -> "_Index":
        return _Index(files_below(self.root), self._suffixes)

    @cached_property
    def _beside(self) -> "_Index":
        """Files right in the folders next to the root, as in `annotations/` and `images/`; not deeper, for above a
        data set there may be anything."""
        folders = [folder for folder in _listed(self.root.parent) if folder.is_dir()]
        files = [path for folder in folders for path in _listed(folder) if _is_file(path)]
        return _Index(files, self._suffixes)


class _Index:
    """Files by name, and by name without suffix. Names that differ in case or in the form of accents are one."""

    def __init__(self, files: Iterable[Path], suffixes: frozenset[str]) -> None:
        self._names: dict[str, list[Path]] = defaultdict(list)
        self._stems: dict[str, list[Path]] = defaultdict(list)
        for path in files:
            if path.suffix and path.suffix.lower() not in suffixes:
                continue
            self._names[_key(path.name)].append(path)
            self._stems[_key(path.stem)].append(path)

    def get(self, name: str) -> list[Path]:
        return self._names.get(_key(name)) or self._stems.get(_key(name)) or []


def _best(files: list[Path], parts: Sequence[str], hints: Sequence[str], name: str) -> Path:
    """Of files with one name, that which shares most of its folders with the name in the table and the hints."""

    def likeness(path: Path) -> tuple[int, int]:
        folders = [_key(part) for part in path.parts[:-1]]
        same = 0
        for wanted, there in zip(map(_key, reversed(parts[:-1])), reversed(folders), strict=False):
            if wanted != there:
                break
            same += 1
        return same, sum(_key(hint) in folders for hint in hints)

    ranked = sorted(files, key=lambda path: (likeness(path), str(path)), reverse=True)
    if likeness(ranked[0]) == likeness(ranked[1]):
        raise InputError(
            f"'{name}' could be {ranked[1]} or {ranked[0]}: write the folder before the names, or say &root=DIR"
        )
    return ranked[0]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not is_hidden(path.name))
    except OSError:  # a neighbour that may not be read has nothing to do with the table
        return []


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _parts(name: str) -> tuple[str, ...]:
    parts = PureWindowsPath(name).parts if "\\" in name else Path(name).parts
    return tuple(part for part in parts if part not in (".", ".."))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for a file
        return False
