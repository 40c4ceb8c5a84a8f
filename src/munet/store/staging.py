"""A system made beside its place and moved there in one step, so that it is never half a system."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from munet.errors import StoreError
from munet.fs import locks
from munet.fs.atomic import explained, sync_folder
from munet.fs.tree import Tree
from munet.store.creation import MARKER


def refuse_taken(target: Path) -> None:
    """StoreError where a new system cannot be."""
    if (target / MARKER).exists():
        raise StoreError(f"{target} is already a munet system: choose another path", kind="exists")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise StoreError(f"{target} is not empty: choose another path", kind="exists")


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A place beside `target` to make a system in, which becomes `target` at the end, or goes again."""
    refuse_taken(target)
    stage = target.with_name(f".{target.name}.importing")
    if Tree(stage).has_file(
        stage / MARKER
    ):  # an import that was killed in its last second; an earlier end is cleared by `create`
        with locks.alone(stage / ".evolving", "importing"), explained("remove", stage):
            shutil.rmtree(stage)  # refuses a link, and follows none below it
    try:
        yield stage
        with explained("make", target):
            os.rename(stage, target)
            sync_folder(target.parent)
    except BaseException:
        if Tree(stage).has_file(stage / MARKER):
            shutil.rmtree(stage, ignore_errors=True)
        raise
