"""Removing what no ref reaches. Waits for running commits, so what they have put and not yet named is never touched."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from munet.errors import DamagedError
from munet.store.reachability import Kept, Unreadable, kept, refs
from munet.store.records import DamagedFile
from munet.store.run_files import listings_of_task
from munet.store.store import Store
from munet.store.strays import temporary_files


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
    # A dry run counts and removes nothing, so it makes no one wait. It also counts what is being written just now.
    with nullcontext() if dry_run else store.collecting():
        stay = _settled(store)
        _refuse_hidden(store, stay.unreadable)
        # Models before the layers that they name: a kill in between leaves layers without models, which is whole.
        models = [store.models.file(id) for id in store.models.ids() if id not in stay.models]
        layers = [store.layers.file(id) for id in store.layers.ids() if id not in stay.layers]
        needed = {id for record in store.task_records() for id in listings_of_task(record)}
        listings = [store.listings.file(id) for id in store.listings.ids() if id not in needed]
        temporary = temporary_files(store)
        freed = sum(_remove(store, file, dry_run) for file in (*models, *layers, *listings, *map(str, temporary)))
        if not dry_run:
            store.promises.keep({id for id in stay.layers if not store.layers.has(id)})
    return Report(len(models), len(layers), len(listings), len(temporary), freed, dry_run)


def _settled(store: Store) -> Kept:
    """What has to stay, read again where refs moved on in the meantime, which they cannot do under the lock."""
    while True:
        before, stay = refs(store).models, kept(store)
        if not stay.unreadable or refs(store).models == before:
            return stay


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
    layers = [store.layers.file(layer) for layer in loose if store.layers.has(layer)]
    manifests = [store.models.file(model) for model in doomed]
    freed = sum(_remove(store, file) for file in (*layers, *manifests))
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


def _refuse_hidden(store: Store, unreadable: Sequence[Unreadable]) -> None:
    if unreadable:
        raise _hidden(store, unreadable[0].path, unreadable[0].reason)


def _hidden(store: Store, path: Path, reason: str) -> DamagedError:
    return DamagedError(
        f"{path} {reason}; nothing was removed, for what it needs is not known: `munet fsck {quote(str(store.path))}` "
        "lists all damage, and what helps"
    )


def _remove(store: Store, file: str, dry_run: bool = False) -> int:
    found = store.files.state(file)
    if not dry_run:
        store.files.remove(file, flush=False)
    return found.st_size if found is not None else 0
