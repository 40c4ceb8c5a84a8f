"""The grammar of slot names. Needs no torch."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from munet.errors import InputError


def block_index(slot: str) -> int | None:
    """k of `block.k` and `adapter.k`, None for the other slots."""
    kind, _, number = slot.partition(".")
    return int(number) if kind in ("block", "adapter") and number.isdigit() else None


def depth_of(slots: Collection[str]) -> int:
    """Number of blocks among `slots`; InputError where one is missing between others."""
    found = sorted(int(slot[6:]) for slot in slots if slot.startswith("block."))
    if found != list(range(len(found))):
        raise InputError(f"the blocks {found} do not follow one another from 0")
    return len(found)


def adapters_of(slots: Collection[str]) -> frozenset[int]:
    """The blocks that an adapter precedes."""
    return frozenset(int(slot[8:]) for slot in slots if slot.startswith("adapter."))


def slot_order(slot: str) -> tuple[int, int, list[str | int]]:
    """Sorting key that puts slots in forward order, and the components of a pool by their names."""
    kind, _, rest = slot.partition(".")
    if rest:
        number, _, component = rest.partition(".")
        # adapter.k comes before block.k. Words and numbers take turns, so that component 10 comes after component 9.
        words = re.split("([0-9]+)", component or kind)
        return (3, int(number), [int(word) if place % 2 else word for place, word in enumerate(words)])
    return ({"embedding": 0, "cls": 1, "posembed": 2, "norm": 4, "pool": 5, "head": 6}[kind], 0, [])


def blocks_in(slots: Mapping[str, Any]) -> int:
    """Number of transformer blocks among a model's slots."""
    return sum(slot.startswith("block.") for slot in slots)


def place_of(slot: str) -> tuple[str, int | None]:
    """(kind, number of the block) of a slot; None where it belongs to no block."""
    kind, _, rest = slot.partition(".")
    number = rest.partition(".")[0]
    return kind, int(number) if number.isdecimal() else None
