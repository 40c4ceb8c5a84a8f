"""Files and folders as people mean them: links followed, without what systems and editors leave behind."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from munet.errors import InputError

_LEFT_BEHIND = frozenset(
    (
        "__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "CVS",
        "Thumbs.db", "desktop.ini",
    )
)  # fmt: skip

LEADS_NOWHERE = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG)
"""What the system says of a link that leads to itself, through a file, or to a name that cannot be."""

_PACKED = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def is_hidden(name: str) -> bool:
    """Whether nobody means a file or folder of this name: `.git`, `.DS_Store`, `__MACOSX`."""
    return name.startswith(".") or name in _LEFT_BEHIND


def is_packed(name: str) -> bool:
    """Whether a file of this name is an archive, or packed: `photos.zip`."""
    return name.lower().endswith(_PACKED)


def folders_in(path: Path) -> list[Path]:
    """Sub-folders by name, but for links that lead back to this folder or one above it.

    InputError where there is no such folder, or it may not be read.
    """
    try:
        above = _on_the_way(path)
        with os.scandir(path) as found:  # it knows folders from files without asking the disk for each
            children = [child for child in found if _is_folder(child) and not is_hidden(child.name)]
        return sorted(
            Path(child.path) for child in children if not (child.is_symlink() and _identity(Path(child.path)) in above)
        )
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such folder", kind="missing-file") from error
    except NotADirectoryError as error:
        packed = "unpack it, and " if is_packed(path.name) else ""
        raise InputError(
            f"{path}: this is a file; {packed}give the folder that holds a sub-folder for each class"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read as a folder: {error.strerror or error}") from error


def files_in(path: Path) -> list[Path]:
    """Files right in a folder, by name."""
    with os.scandir(path) as found:
        return sorted(Path(child.path) for child in found if not is_hidden(child.name) and _is_file(child))


def files_below(folder: Path, special: list[Path] | None = None) -> Iterator[Path]:
    """Files at any depth. Links are followed; one that leads back to a folder on the way to it is not, and of the files
    that a linked folder holds, those that are there already are left out. Pipes and devices, which may never end, are
    no files: they are added to `special`.

    InputError for a folder that may not be read.
    """
    above = _on_the_way(folder)
    through: list[Path] = []
    plain: list[Path] = []
    for path, linked, plain_file in _walk(folder, above, False):
        if not plain_file:
            if special is not None:
                special.append(path)
        elif linked:
            through.append(path)
        else:
            plain.append(path)
            yield path
    # Not Path.resolve, which fails on a link that leads to itself.
    seen = {os.path.realpath(path) for path in plain} if through else set()
    for path in through:
        if (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            yield path


def _walk(folder: Path, above: set[tuple[int, int]], linked: bool) -> Iterator[tuple[Path, bool, bool]]:
    """What is no folder, whether a folder on the way to it is a link, and whether it is a file, or was one."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if is_hidden(entry.name):
                continue
            if not _is_folder(entry):
                yield Path(entry.path), linked, _is_file(entry) or _is_broken(entry)
            elif (here := _identity(Path(entry.path))) not in above:
                yield from _walk(Path(entry.path), above | {here}, linked or entry.is_symlink())
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be read: {error.strerror or error}") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        return _nowhere(entry, error)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError as error:
        return _nowhere(entry, error)


def _nowhere(entry: os.DirEntry[str], error: OSError) -> bool:
    """False for a link that leads nowhere: it is as one whose file is missing, and says nothing of the folder that it
    lies in. Any other error is raised again."""
    if entry.is_symlink() and error.errno in LEADS_NOWHERE:
        return False
    raise error


def _is_broken(entry: os.DirEntry[str]) -> bool:
    """Whether a link leads nowhere: its file is missing, which is told where it is read."""
    return entry.is_symlink() and not os.path.exists(entry.path)


def _on_the_way(folder: Path) -> set[tuple[int, int]]:
    """A folder and those above it, by name and as they really are: a link to one of them leads back."""
    return {_identity(path) for start in (folder, folder.resolve()) for path in (start, *start.parents)}


def _identity(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_dev, seen.st_ino
