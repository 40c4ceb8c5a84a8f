"""Which layer of a lineage a child's slot would get: the question that both the search and the making of a child ask.

The published code walks from the parent upwards to the nearest model that holds a layer of that name and shape.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from munet.model.slots import is_adapter
from munet.search.space import Value

Found = Literal["own", "locked"]


@dataclass(frozen=True)
class Ancestor:
    """What the search needs to know of a living ancestor of a parent."""

    hyperparameters: Mapping[str, Value]
    locked: frozenset[str]  # slots whose layer the root or another task owns
    slots: tuple[str, ...]


def fits(slot: str, slots: Collection[str], hyperparameters: Mapping[str, Value], wanted: Mapping[str, Value]) -> bool:
    """Whether a model with these slots and hyperparameters holds a layer that fits a child of `wanted` ones.

    A position embedding fits one image size, an adapter one `adapter_dim`, a head one kind of features; every other
    layer fits by its name.
    """
    if slot not in slots:
        return False
    if slot == "posembed":
        return hyperparameters.get("image_size") == wanted.get("image_size")
    if is_adapter(slot):
        return hyperparameters.get("adapter_dim") == wanted.get("adapter_dim")
    if slot == "head":
        return hyperparameters.get("head_features", "pooled") == wanted.get("head_features", "pooled")
    return True


def find(slot: str, lineage: Iterable[Ancestor], wanted: Mapping[str, Value]) -> Found | None:
    """Whose layer a slot would get: the nearest fitting one of `lineage`, the parent first.

    "own": nobody but the active task owns it. "locked": the root or another task does. None: it must be made.
    """
    for one in lineage:
        if fits(slot, one.slots, one.hyperparameters, wanted):
            return "locked" if slot in one.locked else "own"
    return None
