"""The kinds of network that the models of a system may be: the one place that knows them all. Needs no torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.model.pools.architecture import POOLS, PoolsArchitecture
from munet.model.vit import ViTArchitecture

if TYPE_CHECKING:
    from torch import Tensor

    from munet.model.staged import StagedNetwork

VISION_TRANSFORMER = "vit"  # what an architecture is that names no kind
AnyArchitecture = ViTArchitecture | PoolsArchitecture


def architecture_from_json(values: Mapping[str, Any]) -> AnyArchitecture:
    """What the `architecture` of a manifest says. InputError for what this version of munet does not know."""
    kind = values.get("kind", VISION_TRANSFORMER)
    if kind == VISION_TRANSFORMER:
        return ViTArchitecture.from_json(values)
    if kind == POOLS:
        return PoolsArchitecture.from_json(values)
    raise InputError(
        f"the models are of the kind '{kind}', which this version of munet does not know: update it",
        kind="newer-format",
    )


def build(
    architecture: AnyArchitecture, layers: "Mapping[str, Mapping[str, Tensor]]", hyperparameters: Mapping[str, Any]
) -> "StagedNetwork":
    """The model with these layers by slot, in evaluation mode; it shares their tensors."""
    if isinstance(architecture, PoolsArchitecture):
        from munet.model.pools.network import PathNetwork

        return PathNetwork(architecture, layers)
    from munet.model.network import Network

    return Network(architecture, layers, hyperparameters["image_size"])


def transformer(kind: AnyArchitecture, system: object) -> ViTArchitecture:
    """`kind`, for what is done with vision transformers only: growing, and timm. InputError for any other."""
    if isinstance(kind, ViTArchitecture):
        return kind
    raise InputError(
        f"{system} holds an exported allocation: its models predict and are evaluated, but it takes no new tasks, does "
        "not evolve and has no timm form; `munet init` makes a system that does"
    )
