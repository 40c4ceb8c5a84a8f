import copy

import pytest
import torch
import torch.nn.functional as F

from model_tools import SMALL, TI, images_of, small_vit
from munet.errors import InputError
from munet.model.from_timm import read_architecture
from munet.model.network import Network
from munet.model.state_dict import split_state_dict
from munet.model.weight_init import new_adapter, new_head, random_root


def network_of(vit, layers=None, trainable=()):
    layers = split_state_dict(vit.state_dict()) if layers is None else layers
    return Network(read_architecture(vit), layers, vit.patch_embed.img_size[0], trainable)


def frozen(vit):
    """As a network without trainable layers: where a gradient may be asked for, some versions of PyTorch choose another
    kernel, also under `no_grad`."""
    return vit.requires_grad_(False)


def random_adapter(width: int, dim: int, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    layer = new_adapter(width, dim, generator)
    return {name: tensor + 0.3 * torch.randn(tensor.shape, generator=generator) for name, tensor in layer.items()}


@pytest.mark.parametrize("name", SMALL)
def test_logits_equal_timms(name: str):
    vit = frozen(small_vit(name))
    images = images_of(vit)
    with torch.no_grad():
        expected = vit(images)
        logits = network_of(vit)(images)
    assert expected.std() > 0.01
    torch.testing.assert_close(logits, expected, rtol=0, atol=0)


@pytest.mark.parametrize("arguments", [{"qk_norm": True}, {"qkv_bias": False}, {"proj_bias": False}, {"fc_norm": True}])
def test_logits_equal_timms_with_unusual_arguments(arguments: dict):
    vit = small_vit("vit_tiny_patch16_224", **arguments)
    with torch.no_grad():
        torch.testing.assert_close(network_of(vit)(images_of(vit)), vit(images_of(vit)), rtol=0, atol=0)


def test_logits_of_attention_pooling_with_the_norm_behind_it():
    vit = frozen(small_vit("vit_base_patch16_siglip_224", fc_norm=True))
    with torch.no_grad():
        torch.testing.assert_close(network_of(vit)(images_of(vit)), vit(images_of(vit)), rtol=0, atol=0)


@pytest.mark.parametrize("name", SMALL)
def test_bfloat16_takes_other_forms_and_gives_the_same_within_its_precision(name: str):
    vit = small_vit(name)
    images = images_of(vit)
    network = network_of(vit).on("cpu", "bf16")
    with torch.no_grad():
        expected = vit(images)
        with torch.autocast("cpu", torch.bfloat16):
            ours, theirs = network(images).float(), vit(images).float()
        torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)
    scale = expected.abs().max()
    # as far from the float32 logits as timm's own forms in bfloat16, give or take
    assert (ours - expected).abs().max() / scale < 0.02
    assert (ours - theirs).abs().max() / scale < 0.02


def test_gradients_equal_timms():
    vit = small_vit("vit_small_patch14_reg4_dinov2")
    network = network_of(vit, trainable=network_of(vit).slots)
    labels = torch.tensor([0, 1, 2])
    F.cross_entropy(vit(images_of(vit)), labels).backward()
    F.cross_entropy(network(images_of(vit)), labels).backward()
    for slot, layer in split_state_dict(dict(vit.named_parameters())).items():
        mine = network.slot_parameters(slot)
        assert set(mine) == set(layer)
        for name, parameter in layer.items():
            assert parameter.grad is not None
            torch.testing.assert_close(mine[name].grad, parameter.grad, rtol=0, atol=0)


def test_without_a_head_it_returns_timms_features():
    vit = frozen(small_vit("vit_base_patch16_siglip_224"))
    layers = {slot: layer for slot, layer in split_state_dict(vit.state_dict()).items() if slot != "head"}
    with torch.no_grad():
        expected = vit.forward_head(vit.forward_features(images_of(vit)), pre_logits=True)
        torch.testing.assert_close(network_of(vit, layers)(images_of(vit)), expected, rtol=0, atol=0)


def test_parameters_are_the_given_tensors():
    layers = split_state_dict(small_vit("vit_tiny_patch16_224").state_dict())
    network = network_of(small_vit("vit_tiny_patch16_224"), layers, {"norm", "head"})
    for slot, layer in layers.items():
        parameters = network.slot_parameters(slot)
        assert {name: p.data_ptr() for name, p in parameters.items()} == {n: t.data_ptr() for n, t in layer.items()}
        assert all(p.requires_grad == (slot in ("norm", "head")) for p in parameters.values())


def test_two_networks_do_not_disturb_one_another():
    first, second = small_vit("vit_tiny_patch16_224", seed=1), small_vit("vit_tiny_patch16_224", seed=2)
    a = network_of(first)
    b = network_of(second, trainable={"block.1", "head"})
    with torch.no_grad():
        torch.testing.assert_close(a(images_of(first)), first(images_of(first)), rtol=0, atol=0)
        torch.testing.assert_close(b(images_of(first)), second(images_of(first)), rtol=0, atol=0)
    assert not any(p.requires_grad for p in a.parameters())


@pytest.mark.parametrize(
    ("trainable", "frozen"),
    [({"norm", "head"}, 3), ({"block.1", "head"}, 2), ({"cls"}, 0), ({"embedding"}, 0), ((), 5), ({"head"}, 4)],
)
def test_frozen_stages_run_without_autograd(trainable, frozen):
    vit = small_vit("vit_tiny_patch16_224")
    network = network_of(vit, trainable=trainable)
    assert network.frozen_stages() == frozen
    x = images_of(vit)
    for number, (_, stage) in enumerate(network.stages()):
        x = stage(x)
        assert x.requires_grad == (number >= frozen)


def test_only_trainable_slots_get_gradients():
    vit = small_vit("vit_tiny_patch16_224")
    network = network_of(vit, trainable={"block.0", "head"})
    network(images_of(vit)).square().sum().backward()
    for slot in network.slots:
        trained = slot in ("block.0", "head")
        assert all((p.grad is not None) == trained for p in network.slot_parameters(slot).values())
    assert set(network.trained_layers()) == {"block.0", "head"}
    assert not any(t.requires_grad for layer in network.trained_layers().values() for t in layer.values())


def test_a_prefix_can_be_computed_once():
    vit = small_vit("vit_base_patch16_siglip_224")
    network = network_of(vit, trainable={"pool", "head"})
    assert [name for name, _ in network.stages()] == ["posembed", "block.0", "block.1", "norm", "pool", "head"]
    x = images_of(vit)
    prefix, suffix = network.stages()[: network.frozen_stages()], network.stages()[network.frozen_stages() :]
    for _, stage in prefix:
        x = stage(x)
    for _, stage in suffix:
        x = stage(x)
    torch.testing.assert_close(x, network(images_of(vit)), rtol=0, atol=0)


def test_every_slot_is_read_by_one_stage():
    network = network_of(small_vit("test_vit2"))
    read = [slot for name, _ in network.stages() for slot in network.slots_of_stage(name)]
    assert read == list(network.slots)


def test_adapter_is_the_published_formula():
    vit = small_vit("vit_tiny_patch16_224")
    layers = split_state_dict(vit.state_dict())
    a = random_adapter(48, 7, 3)
    network = network_of(vit, {**layers, "adapter.1": a})
    assert network.slots.index("adapter.1") + 1 == network.slots.index("block.1")
    stages = dict(network.stages())
    x = torch.randn(2, 5, 48, generator=torch.Generator().manual_seed(4))
    inner = F.gelu(F.layer_norm(x, (48,), a["norm.weight"], a["norm.bias"], 1e-6) @ a["down.weight"].T + a["down.bias"])
    expected = x + inner @ a["up.weight"].T + a["up.bias"]
    torch.testing.assert_close(stages["adapter.1"](x), expected, rtol=0, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(network(images_of(vit)), vit(images_of(vit)), atol=1e-3)


def test_a_new_adapter_changes_nothing_and_can_learn():
    vit = small_vit("vit_tiny_patch16_224")
    adapter = new_adapter(48, 8, torch.Generator().manual_seed(0))
    network = network_of(vit, {**split_state_dict(vit.state_dict()), "adapter.0": adapter}, {"adapter.0"})
    logits = network(images_of(vit))
    with torch.no_grad():
        torch.testing.assert_close(logits, vit(images_of(vit)), rtol=0, atol=0)
    logits.square().sum().backward()
    gradient = network.slot_parameters("adapter.0")["up.weight"].grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_always_in_evaluation_mode():
    network = network_of(small_vit("vit_tiny_patch16_224"))
    network.train()
    assert not any(module.training for module in network.modules())


def test_deepcopy_and_state_survive():
    vit = small_vit("vit_tiny_patch16_224")
    network = copy.deepcopy(network_of(vit, trainable={"head"}))
    with torch.no_grad():
        torch.testing.assert_close(network(images_of(vit)), vit(images_of(vit)), rtol=0, atol=0)
    assert network.slot_parameters("head")["weight"].requires_grad


def test_layers_that_do_not_fit_are_refused():
    layers = random_root(TI, 2, 32, torch.Generator().manual_seed(0))
    layers["head"] = new_head(192, 3)
    with pytest.raises(InputError, match=r"pos_embed is \(1, 5, 192\), it should be \(1, 10, 192\)"):
        Network(TI, layers, 48)
    with pytest.raises(InputError, match="missing or too many are norm"):
        Network(TI, {slot: layer for slot, layer in layers.items() if slot != "norm"}, 32)
    with pytest.raises(InputError, match=r"block\.1.*norm1\.bias"):
        Network(TI, {**layers, "block.1": {n: t for n, t in layers["block.1"].items() if n != "norm1.bias"}}, 32)
    with pytest.raises(InputError, match=r"head.*no weight"):
        Network(TI, {**layers, "head": {"bias": torch.zeros(3)}}, 32)
    with pytest.raises(InputError, match=r"block\.7 cannot be trained"):
        Network(TI, layers, 32, {"block.7"})
    with pytest.raises(InputError, match="patch size"):
        Network(TI, layers, 33)
