"""Removing what no ref reaches. Waits for running commits, so what they have put and not yet named is never touched."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from munet.errors import DamagedError
from munet.fs.atomic import TEMPORARY, explained, is_temporary
from munet.store.reachability import Unreadable, kept, refs
from munet.store.records import DamagedFile
from munet.store.run_files import CHECKPOINT, listings_of_task
from munet.store.store import Store


@dataclass
class Report:
    """What was removed, or would be."""

    models: int = 0
    layers: int = 0
    listings: int = 0  # of images of splits that no task has any more
    temporary: int = 0  # files that killed writers left
    bytes: int = 0
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def gc(store: Store, dry_run: bool = False) -> Report:
    """Remove models, layers and listings that no ref reaches, and temporary files. Must not be called inside a commit.

    Raises DamagedError, and removes nothing, when a damaged ref or manifest hides what has to stay.
    """
    # A dry run counts and removes nothing, so it makes no one wait.
    with store.commit() if dry_run else store.collecting():
        stay = kept(store)
        _refuse_hidden(store, stay.unreadable)
        all_models, strangers = store.models.listing()
        all_layers, others = store.layers.listing()
        # Models before the layers that they name: a kill in between leaves layers without models, which is whole.
        models = [store.models.file(id) for id in all_models if id not in stay.models]
        layers = [store.layers.file(id) for id in all_layers if id not in stay.layers]
        all_listings, more = store.listings.listing()
        needed = {id for record in store.task_records() for id in listings_of_task(record)}
        listings = [store.listings.file(id) for id in all_listings if id not in needed]
        temporary = temporary_files(store, [*strangers, *others, *more])
        freed = sum(_remove(file, dry_run) for file in (*models, *layers, *listings, *map(str, temporary)))
    return Report(len(models), len(layers), len(listings), len(temporary), freed, dry_run)


def collect(store: Store, models: Sequence[str]) -> Report:
    """Remove those of the given models that no ref reaches, what only they descend from, and the layers of all of them
    that nothing else needs. Must not be called inside a commit.

    Where these models are the only garbage of a system it ends as after `gc`, but nothing is listed: the work grows
    with the number of tasks, not with what is stored. A call that was cut off is finished by the same call.
    Raises DamagedError, and removes nothing, when damage hides what has to stay.
    """
    with store.collecting():
        found = refs(store)
        _refuse_hidden(store, found.unreadable)
        needed = {model for _, model in found.models}
        try:
            return _collect(store, models, needed)
        except DamagedFile as error:
            raise _hidden(store, error.path, error.reason) from error


def _collect(store: Store, models: Sequence[str], needed: set[str]) -> Report:
    reached = {layer for model in needed for layer in _weights(store, model)}
    history = store.facts.ancestors(needed)
    doomed: dict[str, None] = {}
    for model in models:
        # Ancestors first: after a kill the rest still leads from a given model to all that is left of its line.
        doomed |= dict.fromkeys(reversed(_line(store, model, needed | history, doomed)))
    suspects = [model for model in dict.fromkeys([*doomed, *models]) if model not in needed and store.has_model(model)]
    loose = dict.fromkeys(layer for model in suspects for layer in _weights(store, model) if layer not in reached)
    # Layers before the models that name them, or a call that was cut off could not be finished by another one.
    layers = [store.layers.file(layer) for layer in loose if store.has_layer(layer)]
    manifests = [store.models.file(model) for model in doomed]
    freed = sum(_remove(file) for file in (*layers, *manifests))
    store.facts.save(needed | history)
    return Report(len(manifests), len(layers), bytes=freed)


def _line(store: Store, model: str, stay: set[str], doomed: dict[str, None]) -> list[str]:
    """A model and those of its ancestors that may not stay, nearest first."""
    line, current = list[str](), model
    while current not in stay and current not in doomed and store.has_model(current):
        line.append(current)
        store.facts.parts(current)  # they are asked for next, and tell the parent
        parent = store.facts.parent(current)
        if parent is None:
            break
        current = parent
    return line


def _weights(store: Store, model: str) -> Iterable[str]:
    parts = store.facts.parts(model)
    return (*parts.layers, *parts.others)


def temporary_files(store: Store, strangers: Iterable[Path]) -> list[Path]:
    """What killed writers left, wherever they wrote. `strangers` are the files among the objects that are none."""
    runs = store.path / "runs"
    folders = [store.path, store.path / "tasks", *(runs / name for name in os.listdir(runs) if (runs / name).is_dir())]
    files = [folder / name for folder in folders for name in os.listdir(folder) if name.startswith(TEMPORARY)]
    files += [runs / name / CHECKPOINT for name in store.runs() if store.is_finished(name)]
    return [file for file in (*files, *filter(is_temporary, strangers)) if file.is_file()]


def _refuse_hidden(store: Store, unreadable: Sequence[Unreadable]) -> None:
    if unreadable:
        raise _hidden(store, unreadable[0].path, unreadable[0].reason)


def _hidden(store: Store, path: Path, reason: str) -> DamagedError:
    return DamagedError(
        f"{path} {reason}, so what it needs is not known and nothing was removed; "
        f"run `munet fsck {store.path}` and take it from a backup"
    )


def _remove(file: str, dry_run: bool = False) -> int:
    try:
        size = os.stat(file).st_size
        if not dry_run:
            os.unlink(file)
    except OSError:
        with explained("remove", Path(file)):
            raise
    return size
