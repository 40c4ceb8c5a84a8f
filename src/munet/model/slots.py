"""The grammar of slot names. Nobody else takes a name apart or puts one together. Needs the standard library only.

    embedding  cls  posembed     the stem: what comes before the first block
    adapter.k  block.k           k from 0; an adapter precedes the block of its number
    norm  pool  head             `pool` where attention pools
    layer.i  pool.i.COMPONENT    in a network of pools, i being the place of the module or pool from 0, and its `head`

Names of other kinds can be parsed and ordered, too: a system may hold what a newer munet or other code has written.
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from munet.errors import InputError

STEM = ("embedding", "cls", "posembed")
STEM_STAGE = "posembed"
"""The stage of a network that reads all slots of the stem."""

_BLOCK, _ADAPTER, _LAYER, _POOL = "block", "adapter", "layer", "pool"
_NUMBERED = (_ADAPTER, _BLOCK, _LAYER, _POOL)  # those of one number in forward order
_ONCE = (*STEM, "", "norm", _POOL, "head")  # in forward order; the numbered ones stand between stem and norm
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")  # as `str` writes it, so that each slot has one name


class Slot(NamedTuple):
    """A slot's name in its parts: `block.3` is ("block", 3, None), `pool.2.conv` ("pool", 2, "conv")."""

    kind: str
    number: int | None = None  # of the block, or the place of the module; None for slots that a model has once
    component: str | None = None  # of a pool

    @property
    def name(self) -> str:
        """The name: the inverse of `parse`."""
        number = "" if self.number is None else f".{self.number}"
        return self.kind + number + ("" if self.component is None else f".{self.component}")


def parse(name: str) -> Slot:
    """The parts of a slot's name. What follows the first dot of a name without a number counts as its component."""
    kind, dot, rest = name.partition(".")
    if not dot:
        return Slot(kind)
    number, more, component = rest.partition(".")
    if _NUMBER.fullmatch(number):
        return Slot(kind, int(number), component if more else None)
    return Slot(kind, None, rest)


def block(number: int) -> str:
    """The slot of a transformer block, counted from 0."""
    return Slot(_BLOCK, number).name


def adapter(number: int) -> str:
    """The slot of the adapter that precedes the block of this number."""
    return Slot(_ADAPTER, number).name


def shared_layer(place: int) -> str:
    """The slot of the module at a place of a network of pools that all its models use."""
    return Slot(_LAYER, place).name


def pool_component(place: int, component: str) -> str:
    """The slot of a component of the pool at a place of a network of pools."""
    return Slot(_POOL, place, component).name


def is_block(name: str) -> bool:
    """Whether a slot is that of a transformer block."""
    return block_number(name) is not None


def is_adapter(name: str) -> bool:
    """Whether a slot is that of an adapter."""
    return adapter_number(name) is not None


def is_shared_layer(name: str) -> bool:
    """Whether a slot is that of a module which all models of a network of pools use."""
    return _number(name, _LAYER) is not None


def block_number(name: str) -> int | None:
    """k of `block.k`; None for other slots."""
    return _number(name, _BLOCK)


def adapter_number(name: str) -> int | None:
    """k of `adapter.k`; None for other slots."""
    return _number(name, _ADAPTER)


def _number(name: str, kind: str) -> int | None:
    slot = parse(name)
    return slot.number if slot.kind == kind and slot.component is None else None


def blocks_in(names: Iterable[str]) -> int:
    """Number of transformer blocks among a model's slots."""
    return sum(map(is_block, names))


def depth_of(names: Collection[str]) -> int:
    """Number of blocks among a model's slots; InputError where one is missing between others."""
    found = sorted(number for name in names if (number := block_number(name)) is not None)
    if found != list(range(len(found))):
        raise InputError(f"the blocks {found} do not follow one another from 0")
    return len(found)


def adapters_of(names: Iterable[str]) -> frozenset[int]:
    """The blocks that an adapter precedes."""
    return frozenset(number for name in names if (number := adapter_number(name)) is not None)


def body(num_blocks: int, adapters: Collection[int] = ()) -> list[str]:
    """The slots between the stem and the norm, in forward order: every block, behind its adapter if it has one."""
    slots = []
    for number in range(num_blocks):
        slots += [adapter(number), block(number)] if number in adapters else [block(number)]
    return slots


def stage_of(name: str) -> str:
    """The stage of a vision transformer that reads a slot: one for the whole stem, one for each other slot."""
    return STEM_STAGE if name in STEM else name


Order = tuple[int, int, int, tuple[str | int, ...], str]


def slot_order(name: str) -> Order:
    """Sorting key that puts slots in forward order, components of a pool by their names and unknown kinds last.

    A number in a component's name counts as one: component 10 comes after component 9.
    """
    slot = parse(name)
    if slot.number is not None and slot.kind in _NUMBERED:
        component = () if slot.component is None else _words(slot.component)
        return (len(STEM), slot.number, _NUMBERED.index(slot.kind), component, name)
    if name in _ONCE:
        return (_ONCE.index(name), 0, 0, (), name)
    return (len(_ONCE), 0, 0, _words(name), name)


def _words(text: str) -> tuple[str | int, ...]:
    # Words and numbers take turns, so that numbers are only ever compared with numbers.
    return tuple(int(part) if place % 2 else part for place, part in enumerate(re.split("([0-9]+)", text)))
