"""Making the directory of a system so that it is never half a system: `munet.json` comes last and decides."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from munet.errors import StoreError
from munet.fs import locks
from munet.fs.atomic import explained, is_temporary, make_folder, sync_folder
from munet.fs.folders import StrangeFileError, opened_folder
from munet.fs.tree import Tree
from munet.store import promised, task_list, turns

MARKER = "munet.json"
FOLDERS = ("layers", "models", "listings", "tasks", "runs")
LOCKS = (".lock", ".turn", task_list.LOCK, turns.LOCK, promised.LOCK)
OPTIONS = "munet.toml"  # options that its user always gives: munet.cli.defaults
REMOTES = "remotes.json"  # which other places the system exchanges with: munet.sharing


@contextmanager
def place_for_system(path: Path) -> Iterator[None]:
    """A new or empty directory with the folders of a system in it; inside, write the root and then the marker.

    When what happens inside raises, everything is removed again. What a killed attempt left is cleared first.
    """
    _refuse_taken(path)
    made = not path.exists()
    if made:
        make_folder(path)
    with locks.alone(path / ".evolving", "making"):
        _refuse_taken(path)  # another process may have been faster
        try:
            _clear(path)
            for name in FOLDERS:
                Tree(path).make_folder(path / name)
            yield
        except BaseException:
            _withdraw(path, made)
            raise


def refuse_strange_folders(path: Path) -> None:
    """StoreError where one of a system's folders is a link, which would lead out of the system, or no folder at all."""
    for name in FOLDERS:
        with explained("read", path / name), suppress(FileNotFoundError):
            try:
                with opened_folder(path, (name,), to_pass=True):
                    pass
            except StrangeFileError as error:
                raise StoreError(f"{path / name} is {error.what}: put the folder itself in its place") from error


def _refuse_taken(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise StoreError(f"{path} is a file: choose another path for the system", kind="exists")
    with explained("read", path):
        found = {entry.name for entry in path.iterdir()}
    if MARKER in found:
        raise StoreError(f"{path} is already a munet system: add tasks to it, or choose another path", kind="exists")
    known = {*FOLDERS, *LOCKS, task_list.FILE, *filter(turns.is_lock, found)}
    strange = [name for name in found - known if not is_temporary(path / name)]
    # A killed attempt has made .evolving before anything else, so without it these folders are not ours.
    if strange or (found and ".evolving" not in found):
        raise StoreError(f"{path} is not empty: choose another path for the system", kind="exists")
    for name in ("tasks", "runs"):
        if Tree(path).has_folder(path / name) and Tree(path).names(path / name):
            raise StoreError(f"{path} holds {name} but no {MARKER}: take {MARKER} from a backup")


def _clear(path: Path) -> None:
    with explained("clear", path):
        for name in FOLDERS:
            if (path / name).exists():
                shutil.rmtree(path / name)
        for file in path.iterdir():
            if is_temporary(file) or file.name == promised.FILE:
                os.unlink(file)


def _withdraw(path: Path, made: bool) -> None:
    # The error that brought us here matters more than what cannot be removed: without the marker it is no system, and
    # the next attempt clears it. If the marker cannot be removed for certain, nothing else may go.
    with suppress(OSError, StoreError):
        (path / MARKER).unlink(missing_ok=True)
        sync_folder(path)
        _clear(path)
        for name in LOCKS:
            (path / name).unlink(missing_ok=True)
        if made:
            path.rmdir()
