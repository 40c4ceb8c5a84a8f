"""Reading while others write. Readers hold no lock, so what a ref named may be gone when it is read: the task iteration
ended, and its population was let go. Then the refs are read again. Only what fresh refs still name is damage."""

from collections.abc import Callable, Collection, Iterable
from shlex import quote
from typing import TypeVar

from munet.errors import InputError
from munet.store.objects import MissingObject
from munet.store.reachability import kept, refs
from munet.store.store import Store

_Read = TypeVar("_Read")


def consistent(
    store: Store, read: Callable[[], _Read], lacking: Callable[[_Read], Collection[str]] = lambda found: ()
) -> _Read:
    """What `read` returns, called again as long as it comes upon objects that no ref names any more.

    `read` has to begin with the refs (a task's record), not with an id that was read before. Where it goes on past
    what is missing, `lacking` gives the ids of that. Raises DamagedError for what the refs do name, InputError for an
    id whose weights were let go for good.
    """
    before = None
    while True:
        try:
            found = read()
        except MissingObject as error:
            if damage_among(store, [error.id]):
                raise
            now = refs(store).models
            if now == before:
                raise _let_go(store, error) from error
        else:
            missing = set(lacking(found))
            if missing <= damage_among(store, missing):
                return found
            now = refs(store).models
            if now == before:  # nothing moved since the last attempt
                return found
        before = now


def damage_among(store: Store, ids: Iterable[str]) -> set[str]:
    """Those of the ids of objects that were not found which are damage: missing while refs name them, before and after
    the look, for in between the refs may move on."""
    missing = set(ids)
    for _ in range(2):
        if not missing:
            break
        stay = kept(store)
        named = missing & (stay.models | stay.layers)
        missing = {id for id in named if not (store.has_layer(id) or store.has_model(id))}
    return missing


def _let_go(store: Store, error: MissingObject) -> InputError:
    return InputError(
        f"{error.what} {error.id[:10]} is gone from {store.path}: no task retains a model that needs it, so it was "
        "collected, and only its history is kept; name a task, or a model that "
        f"`munet status {quote(str(store.path))}` shows",
        kind="no-model",
    )
