"""Training of munet's own network: what a prefix computed once gives, and what stays as it was."""

from dataclasses import replace

import pytest
import torch

from munet.model.network import Network
from munet.model.vit import ViTArchitecture
from munet.training import FeatureCache, Preprocessing, Recipe, TrainItem, train, train_together
from training_toys import stripes

ARCHITECTURE = ViTArchitecture(patch_size=4, width=32, heads=2, mlp_hidden=64)
PRE = Preprocessing(8)
RANDOM = Preprocessing(8, crop_area_min=0.5, flip=True)
RECIPE = Recipe(learning_rate=0.05, preprocessing=PRE, cycles=3, samples_per_cycle=40, batch_size=10)


def make_layers() -> dict[str, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) * 0.1

    def dense(name: str, outputs: int, inputs: int) -> dict[str, torch.Tensor]:
        return {f"{name}.weight": normal(outputs, inputs), f"{name}.bias": normal(outputs)}

    def norm(name: str) -> dict[str, torch.Tensor]:
        return {f"{name}.weight": 1 + normal(32), f"{name}.bias": normal(32)}

    layers = {
        "embedding": {"patch_embed.proj.weight": normal(32, 3, 4, 4), "patch_embed.proj.bias": normal(32)},
        "cls": {"cls_token": normal(1, 1, 32)},
        "posembed": {"pos_embed": normal(1, 5, 32)},
        "norm": norm("norm"),
        "head": {"weight": normal(2, 32), "bias": normal(2)},
    }
    for k in range(2):
        attention = dense("attn.qkv", 96, 32) | dense("attn.proj", 32, 32)
        mlp = dense("mlp.fc1", 64, 32) | dense("mlp.fc2", 32, 64)
        layers[f"block.{k}"] = norm("norm1") | norm("norm2") | attention | mlp
    return layers


LAYERS = make_layers()


def build(*trainable: str) -> Network:
    return Network(ARCHITECTURE, LAYERS, 8, trainable)


@pytest.mark.parametrize(
    ("trainable", "frozen"),
    [
        (("head", "norm"), 3),
        (("block.1", "head", "norm"), 2),
        (("block.0", "head"), 1),
        (("cls", "head"), 0),
        (tuple(LAYERS), 0),
    ],
)
def test_the_halves_meet_below_the_lowest_trainable_slot(trainable, frozen):
    network = build(*trainable)
    below, above = TrainItem(network, RECIPE).split()
    assert len(below) == frozen == network.frozen_stages()
    hidden = x_BCHW = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for _, stage in below:
        hidden = stage(hidden)
    assert not hidden.requires_grad
    for stage in above:
        hidden = stage(hidden)
    assert torch.equal(hidden, network(x_BCHW))


@pytest.mark.parametrize("pre", [PRE, RANDOM])
@pytest.mark.parametrize("trainable", [("norm", "head"), ("block.1", "norm", "head"), tuple(LAYERS)])
def test_reuse_gives_the_same_bits(trainable, pre):
    recipe = replace(RECIPE, preprocessing=pre)
    given = {slot: {name: tensor.clone() for name, tensor in tensors.items()} for slot, tensors in LAYERS.items()}
    outcomes = [
        train(build(*trainable), recipe, stripes(60, 1), stripes(30, 2), key=(0,), reuse=reuse)
        for reuse in (False, True)
    ]
    slow, fast = outcomes
    assert slow.accuracies == fast.accuracies
    assert set(fast.layers) == set(trainable)
    for slot, tensors in slow.layers.items():
        for name, tensor in tensors.items():
            assert torch.equal(fast.layers[slot][name], tensor)
            assert not torch.equal(tensor, given[slot][name])
    for slot, tensors in LAYERS.items():
        assert all(torch.equal(tensor, given[slot][name]) for name, tensor in tensors.items())


@pytest.mark.parametrize("pre", [PRE, RANDOM])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_fused_blocks_give_the_same_bits_however_children_are_put_together(precision, pre):
    recipe = replace(RECIPE, preprocessing=pre, precision=precision, step="fused")
    splits = stripes(60, 1), stripes(30, 2)
    cuts = [("block.1", "norm", "head"), tuple(LAYERS)]

    def item(trainable):
        return TrainItem(build(*trainable).on("cpu", precision, "fused"), recipe)

    together = train_together([item(cut) for cut in cuts], *splits, key=(0,), cache=FeatureCache(2**20))
    for cut, outcome in zip(cuts, together, strict=True):
        alone = train_together([item(cut)], *splits, key=(0,))[0]
        assert alone.losses == outcome.losses
        for slot, tensors in alone.layers.items():
            assert all(torch.equal(outcome.layers[slot][name], tensor) for name, tensor in tensors.items())


def test_fused_blocks_learn_what_plain_ones_learn():
    plain = train(build(*LAYERS), RECIPE, stripes(60, 1), stripes(30, 2), key=(0,))
    network = build(*LAYERS).on("cpu", "fp32", "fused")
    fused = train(network, replace(RECIPE, step="fused"), stripes(60, 1), stripes(30, 2), key=(0,))
    assert fused.losses == pytest.approx(plain.losses, rel=1e-4)


def test_learns():
    recipe = Recipe(learning_rate=0.05, preprocessing=PRE, cycles=5, samples_per_cycle=100, batch_size=10)
    outcome = train(build(*LAYERS), recipe, stripes(100, 1), stripes(50, 2), key=(0,))
    assert max(outcome.accuracies) > 0.9
