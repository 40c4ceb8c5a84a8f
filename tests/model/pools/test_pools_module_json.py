"""Modules as JSON and back: equal outputs, and the slots in which their layers are listed."""

import json

import pytest
import torch
from torch import nn

from munet.errors import InputError
from munet.model.kinds import architecture_from_json
from munet.model.modules import assign
from munet.model.pools.architecture import PoolsArchitecture
from munet.model.pools.module_json import NAMES, built, described
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame, SeededDropout
from munet.model.slots import slot_order

MODULES = (
    nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2, bias=False),
    nn.Conv2d(4, 4, 3, padding="same", padding_mode="circular"),
    Conv2dSame(4, 6, (1, 7), stride=2),
    nn.Sequential(nn.Flatten(), nn.Linear(256, 5, bias=False)),
    nn.GroupNorm(2, 4, eps=1e-6),
    nn.GroupNorm(2, 4, affine=False),
    nn.LayerNorm((8, 8), bias=False),  # pyright: ignore[reportArgumentType]
    nn.LayerNorm(8, elementwise_affine=False, eps=1e-3),
    nn.ReLU(inplace=True),
    nn.GELU("tanh"),
    nn.Identity(),
    nn.Flatten(2),
    nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    nn.AvgPool2d((2, 3), count_include_pad=False, divisor_override=5),
    MaxPool2dSame(3, 2),
    AvgPool2dSame(3),
    SeededDropout(0.3),
    nn.Dropout(0.3),
    nn.Sequential(nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU()), nn.GELU()),
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: type(module).__name__)
def test_a_module_comes_back_from_its_description(module: nn.Module) -> None:
    text = json.dumps(described(module, "here"))
    again = built(json.loads(text)).eval()
    assert json.dumps(described(again, "here")) == text
    assign(again, {name: tensor.detach() for name, tensor in module.state_dict().items()}, "here")
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(again(x.clone()), module.eval()(x.clone()))


def test_every_known_type_is_tried() -> None:
    tried = {type(leaf).__name__ for module in MODULES for leaf in module.modules()}
    assert tried == set(NAMES)


@pytest.mark.parametrize(
    "module",
    [nn.Tanh(), nn.Sequential(nn.ReLU(), nn.BatchNorm2d(4)), nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))],
    ids=["Tanh", "BatchNorm2d", "ParametrizedLinear"],
)
def test_other_types_are_refused_by_name(module: nn.Module, request: pytest.FixtureRequest) -> None:
    with pytest.raises(InputError) as refused:
        described(module, "pool.2.first")
    name = request.node.callspec.id
    assert str(refused.value).startswith(f"pool.2.first is or holds a {name}, which a system cannot describe: build it")


def test_what_a_later_version_wrote_is_refused() -> None:
    with pytest.raises(InputError, match="the kind 'tree', which this version of munet does not know"):
        architecture_from_json({"kind": "tree"})
    with pytest.raises(InputError, match="hold a Fold, which this version"):
        built({"type": "Sequential", "modules": [{"type": "Fold"}]})
    one = PoolsArchitecture((1, 4, 4), (0.0,), (1.0,), "mean", "zeros", [{"type": "Flatten"}], {"type": "Identity"})
    assert architecture_from_json(json.loads(json.dumps(one.to_json()))).to_json() == one.to_json()  # type: ignore[attr-defined]
    for change, line in (({"more": 1}, "'more', which this"), ({"combine": "best"}, "combine is 'best'")):
        with pytest.raises(InputError, match=line):
            architecture_from_json(one.to_json() | change)


@pytest.mark.parametrize(
    "slots",
    [
        ["embedding", "cls", "posembed", "adapter.0", "block.0", "block.1", "block.10", "norm", "pool", "head"],
        ["layer.0", "pool.1.3x3.0", "pool.1.3x3.2", "pool.1.3x3.10", "pool.1.5x5.0", "layer.2", "pool.4.mean", "head"],
    ],
)
def test_slots_are_listed_in_forward_order(slots: list[str]) -> None:
    turned = list(reversed(slots))
    assert sorted(turned, key=slot_order) == slots
