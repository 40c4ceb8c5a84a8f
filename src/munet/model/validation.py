"""Whether a stored model can be used: its layers against its architecture, by names, shapes and types, without values.

A model is built on torch's `meta` device, from the headers of its layers alone, by the code that builds it when it
computes. So what passes here can be loaded, and what cannot be loaded does not pass.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.model.kinds import architecture_from_json, build
from munet.store.schema import Manifest

if TYPE_CHECKING:
    from torch import Tensor

    from munet.model.staged import StagedNetwork

Header = Mapping[str, Mapping[str, Any]]
"""Tensor name -> `{"dtype", "shape"}` of a layer, in safetensors' words."""

_WEIGHTS = ("F32", "BF16", "F16", "F64")


def check_stored(manifest: Manifest, header: Callable[[str], Header]) -> None:
    """InputError unless a model can be used whose layers have these headers by their ids.

    A model of a kind that this version does not know has the error's kind "newer-format".
    """
    layers = {slot: header(layer) for slot, layer in manifest["layers"].items()}
    for slot, layer in layers.items():
        for name, entry in layer.items():
            if entry["dtype"] not in _WEIGHTS:
                raise InputError(f"the layer in slot {slot} has {name} as {entry['dtype']}: it should be F32")
    _check_sizes(manifest, layers)
    for slot, layer in manifest.get("momentum", {}).items():
        _check_momentum(slot, header(layer), layers.get(slot))
    built(manifest, {slot: _without_values(layer) for slot, layer in layers.items()})


def built(manifest: Manifest, layers: "Mapping[str, Mapping[str, Tensor]]") -> "StagedNetwork | None":
    """The network of a model with these layers by slot, which it shares; None for the root of an exported allocation,
    which has parts of networks only. InputError where they do not fit."""
    is_root = manifest.get("task") is None
    try:
        architecture = architecture_from_json(manifest["architecture"])
        if is_root and manifest["architecture"].get("kind") is not None:
            return None
        if "head" not in layers and not is_root:
            raise InputError("the layers do not fit the architecture: there is no head")
        return build(architecture, layers, manifest["hyperparameters"])
    except InputError:
        raise
    except Exception as error:  # a description that somebody made up may break a constructor in any way
        reason = str(error).partition("\n")[0][:120]
        raise InputError(f"no network can be made of it ({type(error).__name__}: {reason})") from error


def _without_values(layer: Header) -> "dict[str, Tensor]":
    import torch

    return {name: torch.empty(tuple(entry["shape"]), device="meta") for name, entry in layer.items()}


def _check_sizes(manifest: Manifest, layers: Mapping[str, Header]) -> None:
    for slot, size in manifest.get("sizes", {}).items():
        if slot not in layers:
            raise InputError(f"'sizes' tells of slot {slot}, in which there is no layer")
        found = sum(prod(entry["shape"]) for entry in layers[slot].values())
        if found != size:
            raise InputError(f"'sizes' says {size} of slot {slot}, whose layer has {found} parameters")


def _check_momentum(slot: str, momentum: Header, layer: Header | None) -> None:
    if layer is None:
        raise InputError(f"there is momentum of slot {slot}, and no layer")
    wanted = {name: entry["shape"] for name, entry in layer.items()}
    if wanted != {name: entry["shape"] for name, entry in momentum.items()}:
        raise InputError(f"the momentum of slot {slot} does not have the names and shapes of its layer")
    if any(entry["dtype"] not in _WEIGHTS for entry in momentum.values()):
        raise InputError(f"the momentum of slot {slot} should be BF16")
