"""Removing what no ref reaches. Waits for running commits, so what they have put and not yet named is never touched."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from munet.errors import DamagedError
from munet.store.files import explained, is_temporary
from munet.store.reachability import Reach, reach
from munet.store.store import Store


@dataclass
class Report:
    """What was removed, or would be."""

    models: int = 0
    layers: int = 0
    temporary: int = 0  # files that killed writers left
    bytes: int = 0
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def gc(store: Store, dry_run: bool = False) -> Report:
    """Remove models and layers that no ref reaches, and temporary files. Must not be called inside a commit.

    Raises DamagedError, and removes nothing, when a damaged ref or manifest hides what has to stay.
    """
    # A dry run counts and removes nothing, so it makes no one wait.
    with store.commit() if dry_run else store.collecting():
        found = reach(store)
        _refuse_hidden(store, found)
        # Models before the layers that they name: a kill in between leaves layers without models, which is whole.
        models = [store.models.path(id) for id in store.models.ids() if id not in found.models]
        layers = [store.layers.path(id) for id in store.layers.ids() if id not in found.layers]
        temporary = temporary_files(store)
        freed = sum(_remove(file, dry_run) for file in (*models, *layers, *temporary))
    return Report(len(models), len(layers), len(temporary), freed, dry_run)


def temporary_files(store: Store) -> list[Path]:
    """What killed writers left, wherever they wrote."""
    folders = [store.path, store.path / "tasks", *(f for f in (store.path / "runs").iterdir() if f.is_dir())]
    files = [file for folder in folders for file in folder.iterdir()]
    files += [*store.models.strangers(), *store.layers.strangers()]
    return [file for file in files if is_temporary(file) and file.is_file()]


def _refuse_hidden(store: Store, found: Reach) -> None:
    if found.unreadable:
        first = found.unreadable[0]
        raise DamagedError(
            f"{first.path} {first.reason}, so what it needs is not known and nothing was removed; "
            f"run `munet fsck {store.path}` and take it from a backup"
        )


def _remove(file: Path, dry_run: bool) -> int:
    with explained("remove", file):
        size = file.stat().st_size
        if not dry_run:
            os.unlink(file)
    return size
