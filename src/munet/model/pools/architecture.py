"""An exported allocation as data: the network that the models of such a system are paths through. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from munet.errors import InputError

COMBINE = ("mean", "sum")
EMPTY = ("zeros", "likeliest")
_KEYS = ("kind", "input_shape", "mean", "std", "combine", "empty", "layers", "head")
Module = Mapping[str, Any]


@dataclass(frozen=True)
class PoolsArchitecture:
    """Layers in order, some of them pools whose components a model uses in any number, then a head.

    input_shape  (C, S, S) of the float images that the network takes, C 1 or 3
    mean, std    of each channel: uint8 images / 255, less the mean, divided by std, are those inputs
    combine      what a pool passes on: the "mean" or the "sum" of the components that a model uses
    empty        what a pool passes on where a model uses none: "zeros"; with "likeliest" none is left so, for the
                 allocation took the likeliest component
    layers       each the description of a module (`munet.model.pools.module_json`), or of a pool: {"type": "Pool",
                 "names", "components", "shape"}, with the shape of its output for one example
    head         description of the model's own head; None in the root
    """

    input_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    combine: str
    empty: str
    layers: Sequence[Module]
    head: Module | None = None

    def __post_init__(self) -> None:
        channels, height, width = self.input_shape
        if channels not in (1, 3) or height != width:
            raise InputError(f"inputs of shape {self.input_shape}: a system's images are square, of 1 or 3 channels")
        if len(self.mean) != channels or len(self.std) != channels or 0 in self.std:
            raise InputError(
                f"mean {self.mean} and std {self.std}: give {channels} numbers each, one a channel, and no std of 0"
            )
        for name, value, known in (("combine", self.combine, COMBINE), ("empty", self.empty, EMPTY)):
            if value not in known:
                raise InputError(f"{name} is '{value}': this version of munet knows {' and '.join(known)}")

    @property
    def image_size(self) -> int:
        """Side of the images in pixels."""
        return self.input_shape[1]

    def to_json(self) -> dict[str, Any]:
        values = {
            "kind": POOLS,
            "input_shape": list(self.input_shape),
            "mean": list(self.mean),
            "std": list(self.std),
            "combine": self.combine,
            "empty": self.empty,
            "layers": [dict(layer) for layer in self.layers],
        }
        return values if self.head is None else values | {"head": dict(self.head)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "PoolsArchitecture":
        """Inverse of `to_json`; InputError for facts that this version does not know."""
        unknown = sorted(set(values) - set(_KEYS))
        if unknown:
            raise InputError(
                f"the architecture has '{unknown[0]}', which this version of munet does not know: update it",
                kind="newer-format",
            )
        channels, height, width = values["input_shape"]
        return cls(
            (channels, height, width),
            tuple(values["mean"]),
            tuple(values["std"]),
            values["combine"],
            values["empty"],
            values["layers"],
            values.get("head"),
        )


def components_of(layer: Module) -> dict[str, Module] | None:
    """Name -> description of the components of a pool, in their order; None for a module that all models use."""
    if layer["type"] != "Pool":
        return None
    return dict(zip(layer["names"], layer["components"], strict=True))


POOLS = "pools"
