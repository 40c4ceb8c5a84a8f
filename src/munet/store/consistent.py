"""Reading while others write. Readers hold no lock, so what a ref named may be gone when it is read: the task iteration
ended, and its population was let go. Then the refs are read again. Only what fresh refs still name is damage."""

from collections.abc import Callable, Collection
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
            if is_damage(store, error.id):
                raise
            now = refs(store).models
            if now == before:
                raise _let_go(store, error) from error
        else:
            if all(is_damage(store, id) for id in lacking(found)):
                return found
            now = refs(store).models
            if now == before:  # nothing moved since the last attempt
                return found
        before = now


def is_damage(store: Store, id: str) -> bool:
    """Whether an object is missing while refs name it, before and after the look: between the two one may move on."""
    return all(_is_named(store, id) and not (store.has_layer(id) or store.has_model(id)) for _ in range(2))


def _is_named(store: Store, id: str) -> bool:
    stay = kept(store)
    return id in stay.models or id in stay.layers


def _let_go(store: Store, error: MissingObject) -> InputError:
    return InputError(
        f"{error.what} {error.id[:10]} is gone from {store.path}: no task retains a model that needs it, so it was "
        "collected, and only its history is kept; name a task, or a model that `munet status` shows",
        kind="no-model",
    )
