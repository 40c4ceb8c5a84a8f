"""The kinds of network that the models of a system may be, told apart here and nowhere else. Needs no torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from munet.model.vit import Architecture
from munet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from munet.model.staged import StagedNetwork

VISION_TRANSFORMER = "vit"  # what an architecture is that names no kind
POOLS = "pools"


class Form(Protocol):
    """What all models of a system have in common, whatever kind of network they are.

    `mean` and `std` have a value for each channel that a model reads, of pixels scaled to 0..1.
    """

    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...
    def network(
        self, layers: "Mapping[str, Mapping[str, Tensor]]", hyperparameters: Mapping[str, Any]
    ) -> "StagedNetwork":
        """The model with these layers by slot, in evaluation mode; it shares their tensors."""
        ...


def architecture_of(values: Mapping[str, Any]) -> Form:
    """What the `architecture` of a manifest says. InputError for what this version of munet does not know."""
    kind = values.get("kind", VISION_TRANSFORMER)
    if kind == VISION_TRANSFORMER:
        return Architecture.from_json(values)
    if kind == POOLS:
        from munet.model.pools.architecture import PoolsArchitecture

        return PoolsArchitecture.from_json(values)
    raise InputError(f"the models are of the kind '{kind}', which this version of munet does not know: update it")


def transformer(form: Form, system: object) -> Architecture:
    """`form`, for what is done with vision transformers only: growing, and timm. InputError for any other."""
    if isinstance(form, Architecture):
        return form
    raise InputError(
        f"{system} holds an exported allocation: its models predict and are evaluated, but it takes no new tasks, does "
        "not evolve and has no timm form; `munet init` makes a system that does"
    )
