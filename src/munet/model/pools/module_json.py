"""Modules as JSON values, and back: a closed list, so that a system never runs code that it does not know."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from munet.errors import InputError
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame, SeededDropout

_LARGEST = 1 << 20  # of the numbers that a module is made with
_SIDES = ("kernel_size", "stride", "padding", "dilation")

# Of each type, the arguments with which it is made again. `inplace` is left out: what several models share must stay.
_ARGUMENTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("in_channels", "out_channels", *_SIDES, "groups", "bias", "padding_mode"),
    Conv2dSame: ("in_channels", "out_channels", "kernel_size", "stride"),
    nn.Linear: ("in_features", "out_features", "bias"),
    nn.GroupNorm: ("num_groups", "num_channels", "eps", "affine"),
    nn.LayerNorm: ("normalized_shape", "eps", "elementwise_affine", "bias"),
    nn.ReLU: (),
    nn.GELU: ("approximate",),
    nn.Identity: (),
    nn.Flatten: ("start_dim", "end_dim"),
    nn.MaxPool2d: (*_SIDES, "ceil_mode"),
    nn.AvgPool2d: (*_SIDES[:3], "ceil_mode", "count_include_pad", "divisor_override"),
    MaxPool2dSame: ("kernel", "stride"),
    AvgPool2dSame: ("kernel", "stride"),
    SeededDropout: ("probability",),
    nn.Dropout: ("p",),
}
_TYPES = {kind.__name__: kind for kind in _ARGUMENTS}
NAMES = (*_TYPES, "Sequential")


def described(module: nn.Module, where: str) -> dict[str, Any]:
    """{"type": ..., its arguments}; of a sequence {"type": "Sequential", "modules": [...]}.

    `where` names the module in the InputError for one whose type is not on the list.
    """
    kind = type(module)
    if kind is nn.Sequential:
        return {"type": "Sequential", "modules": [described(child, where) for child in module.children()]}
    if kind not in _ARGUMENTS:
        raise InputError(
            f"{where} is or holds a {kind.__name__}, which a system cannot describe: build it of {', '.join(NAMES)}"
        )
    return {"type": kind.__name__} | {name: _value(module, name) for name in _ARGUMENTS[kind]}


def _value(module: nn.Module, name: str) -> Any:
    if name == "bias":  # an argument that says whether the tensor is there
        return module.bias is not None
    if name == "stride" and isinstance(module, Conv2dSame):
        return module.stride[0]  # it is made with one for both sides
    value = getattr(module, name)
    return list(value) if isinstance(value, tuple) else value


def built(description: Mapping[str, Any]) -> nn.Module:
    """A module as described, on the meta device: shapes without values. InputError for an unknown type."""
    kind = description["type"]
    if kind == "Sequential":
        return nn.Sequential(*(built(child) for child in description["modules"]))
    if kind not in _TYPES:
        raise InputError(
            f"the models hold a {kind}, which this version of munet does not know: update it", kind="newer-format"
        )
    arguments = {name: _argument(value) for name, value in description.items() if name != "type"}
    strange = sorted(set(arguments) - set(_ARGUMENTS[_TYPES[kind]]))
    if strange:
        raise InputError(f"the models hold a {kind} that asks for '{strange[0]}': a system may not")
    for name, value in arguments.items():
        if any(isinstance(part, int | float) and not abs(part) <= _LARGEST for part in _parts(value)):
            raise InputError(f"the models hold a {kind} with {name} {value}: at most {_LARGEST}")
    with torch.device("meta"):
        if kind == "Conv2dSame":
            return Conv2dSame(*(arguments[name] for name in _ARGUMENTS[Conv2dSame]))
        return _TYPES[kind](**arguments)


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _argument(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
