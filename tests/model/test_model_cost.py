"""The papers' own figures: parameters of their baselines exactly, FLOPs within one per cent."""

from fractions import Fraction
from statistics import mean

import pytest
import torch

from model_tools import SMALL, TI, B, small_vit
from munet.model.cost import accounted_parameters, adapter_size, flops, slot_sizes
from munet.model.from_timm import read_architecture
from munet.model.state_dict import split_state_dict
from munet.model.vit import ViTArchitecture
from munet.store.layer_file import layer_size

# classes of the tasks: emnist digits and letters, kmnist, mnist, omniglot, cmaterdb bangla, devanagari, telugu
MCCB = (10, 37, 10, 10, 1623, 10, 10, 10)
# imagenet12, svhn, cifar100, gtsrb, daimlerpedcls, omniglot, ucf101, aircraft, dtd, vgg-flowers
VDDB = (1000, 10, 100, 43, 2, 1623, 101, 100, 47, 102)


def baseline(
    architecture: ViTArchitecture, blocks: int, image_size: int, classes: tuple, trained: int, adapter: int = 0
):
    """Mean accounted parameters of a system in which all tasks share the root but for what they train.

    `trained`: the lowest trained block; `blocks` is the multi-head baseline, -1 trains the embeddings too.
    """
    adapters = dict.fromkeys(range(blocks), adapter) if adapter else {}
    models: dict[str, tuple[dict[str, int], dict[str, str]]] = {}
    owners: dict[str, set[str | None]] = {}
    for number, count in enumerate(classes):
        task = f"task{number}"
        sizes = slot_sizes(architecture, blocks, image_size, count, adapters)
        layers = {}
        for slot in sizes:
            kind, _, k = slot.partition(".")
            if kind == "block":
                own = int(k) >= trained
            elif kind in ("embedding", "cls", "posembed"):
                own = trained < 0
            else:
                own = True
            layers[slot] = f"{task}/{slot}" if own else f"root/{slot}"
            owners.setdefault(layers[slot], {None}).add(task)  # the root is there too, and no sharer
        models[task] = (sizes, layers)
    return mean(accounted_parameters(sizes, layers, owners, task) for task, (sizes, layers) in models.items())


@pytest.mark.parametrize(
    ("trained", "adapter", "expected"),
    [
        (3, 0, 227_303),
        (0, 0, 1_395_071),
        (1, 0, 1_005_815),
        (2, 0, 616_559),
        (-1, 0, 1_525_271),
        (3, 8, 238_271),
        (3, 16, 247_511),
        (3, 32, 265_991),
        (3, 64, 302_951),
        (3, 128, 376_871),
        (3, 256, 524_711),
        (3, 512, 820_391),
    ],
)
def test_character_benchmark_baselines(trained: int, adapter: int, expected: int):
    assert baseline(TI, 3, 32, MCCB, trained, adapter) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize(
    ("trained", "adapter", "expected"),
    [
        (12, 0, 8_808_658),
        (0, 0, 85_357_676),
        (1, 0, 78_978_591),
        (-1, 0, 85_907_871),
        (12, 256, 13_557_970),
        (12, 512, 18_279_634),
    ],
)
def test_decathlon_baselines(trained: int, adapter: int, expected: int):
    assert baseline(B, 12, 80, VDDB, trained, adapter) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize(
    ("architecture", "blocks", "image_size", "expected"),
    [
        (TI, 3, 32, 1_484_162),
        (B, 12, 32, 85_652_738),
        (ViTArchitecture(16, 1024, 16, 4096), 24, 224, 303_303_682),
    ],
)
def test_reference_sizes_of_the_score(architecture: ViTArchitecture, blocks: int, image_size: int, expected: int):
    assert sum(slot_sizes(architecture, blocks, image_size, 2).values()) == expected


def test_sizes_of_the_components():
    sizes = slot_sizes(TI, 3, 32, 10)
    assert sizes["block.1"] == 444_864
    assert sizes["posembed"] == 5 * 192
    assert slot_sizes(B, 12, 80)["block.0"] == 7_087_872
    assert adapter_size(192, 32) == 12_896


@pytest.mark.parametrize("name", SMALL)
def test_closed_form_sizes_equal_the_tensors(name: str):
    vit = small_vit(name, classes=7)
    image_size = vit.patch_embed.img_size[0]  # type: ignore[index]
    expected = {slot: layer_size(layer) for slot, layer in split_state_dict(vit.state_dict()).items()}
    assert slot_sizes(read_architecture(vit), 2, image_size, 7) == expected


def test_query_norms_are_counted():
    vit = small_vit("vit_tiny_patch16_224", qk_norm=True)
    assert slot_sizes(read_architecture(vit), 2, 32, 5)["block.0"] == layer_size(
        split_state_dict(vit.state_dict())["block.0"]
    )


def test_root_is_no_sharer_and_the_own_task_always_is():
    sizes, layers = {"a": 6, "b": 12, "c": 4}, {"a": "x", "b": "y", "c": "z"}
    owners = {"x": {None}, "y": {None, "other", "third"}, "z": {"mine", "other"}}
    expected = Fraction(6) + Fraction(12, 3) + Fraction(4, 2)
    assert accounted_parameters(sizes, layers, owners, "mine") == float(expected)


def test_parameters_summed_over_a_system_are_its_unique_parameters():
    sizes = {"a": 100, "b": 10}
    models = {"t0": {"a": "s", "b": "p"}, "t1": {"a": "s", "b": "q"}, "t2": {"a": "s", "b": "q"}}
    owners = {"s": {"t0", "t1", "t2"}, "p": {"t0"}, "q": {"t1", "t2"}}
    total = sum(accounted_parameters(sizes, layers, owners, task) for task, layers in models.items())
    assert total == pytest.approx(100 + 10 + 10)


@pytest.mark.parametrize(
    ("architecture", "blocks", "image_size", "classes", "adapter", "published"),
    [
        (TI, 3, 32, MCCB, 0, 14.77e6),
        (TI, 3, 32, MCCB, 512, 20.76e6),
        (B, 12, 80, VDDB, 0, 4485e6),
        (B, 12, 80, VDDB, 256, 4734e6),
    ],
)
def test_published_flops(architecture, blocks, image_size, classes, adapter, published):
    adapters = dict.fromkeys(range(blocks), adapter) if adapter else None
    computed = mean(flops(architecture, blocks, image_size, count, adapters) for count in classes)  # pyright: ignore[reportArgumentType]
    assert computed == pytest.approx(published, rel=0.003)


@pytest.mark.parametrize("name", ["vit_small_patch14_reg4_dinov2", "vit_base_patch16_siglip_224", "test_vit2"])
def test_flops_are_above_and_near_those_of_the_products(name: str):
    """torch counts the matrix products and convolutions alone; what munet adds per element is the smaller part."""
    from torch.utils.flop_counter import FlopCounterMode

    vit = small_vit(name, classes=7, embed_dim=192, num_heads=3).requires_grad_(False)
    side = vit.patch_embed.img_size[0]  # type: ignore[index]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        vit(torch.zeros(1, 3, side, side))
    counted = counter.get_total_flops()
    computed = flops(read_architecture(vit), 2, side, 7)
    assert counted < computed < 1.05 * counted
