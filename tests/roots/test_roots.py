from importlib.resources import files
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from model_tools import randomise
from munet.errors import InputError
from munet.model.network import Network
from munet.model.state_dict import split_state_dict
from munet.model.weight_init import new_head
from munet.roots import builtin, load_root
from munet.roots import timm as timm_roots
from munet.store.layer_file import layer_id

NAME = "test_vit"  # timm's own miniature: width 64, 6 blocks, 160 px


@pytest.fixture
def vit() -> VisionTransformer:
    return randomise(timm.create_model(NAME, num_classes=5).eval())  # type: ignore[arg-type]


@pytest.fixture
def weights(vit: VisionTransformer, tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_file(vit.state_dict(), path)
    return path


def test_offline_weights_give_timms_logits(vit: VisionTransformer, weights: Path):
    root = load_root(f"timm:{NAME}", weights=weights)
    assert (root.image_size, root.native_image_size, root.source) == (160, 160, f"timm:{NAME}")
    assert "head" not in root.layers
    layers = {**root.layers, "head": split_state_dict(vit.state_dict())["head"]}
    images = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(Network(root.architecture, layers, 160)(images), vit(images), rtol=0, atol=0)


def test_depth_keeps_the_lowest_blocks_and_the_size_is_resized(vit: VisionTransformer, weights: Path):
    root = load_root(f"timm:{NAME}", weights=weights, depth=2, image_size=32)
    assert root.architecture.slots(2, head=False) == tuple(root.layers)
    whole = split_state_dict(vit.state_dict())
    assert torch.equal(root.layers["block.1"]["mlp.fc1.weight"], whole["block.1"]["mlp.fc1.weight"])
    assert root.layers["posembed"]["pos_embed"].shape == (1, 5, 64)
    assert torch.equal(root.native_posembed["pos_embed"], whole["posembed"]["pos_embed"])


def test_tensors_own_their_memory_and_are_fp32(vit: VisionTransformer, tmp_path: Path):
    path = tmp_path / "half.safetensors"
    save_file({key: tensor.half() for key, tensor in vit.state_dict().items()}, path)
    root = load_root(f"timm:{NAME}", weights=path)
    tensors = [tensor for layer in root.layers.values() for tensor in layer.values()]
    assert all(t.dtype == torch.float32 and t.is_contiguous() and not t.requires_grad for t in tensors)
    assert len({t.untyped_storage().data_ptr() for t in tensors}) == len(tensors)
    assert root.native_posembed["pos_embed"].data_ptr() != root.layers["posembed"]["pos_embed"].data_ptr()


def test_weights_of_fewer_blocks_and_another_size_load(vit: VisionTransformer, tmp_path: Path):
    state = {key: tensor for key, tensor in vit.state_dict().items() if not key.startswith(("blocks.3", "blocks.4"))}
    state = {key: tensor for key, tensor in state.items() if not key.startswith("blocks.5")}
    state["pos_embed"] = torch.randn(1, 10, 64)
    path = tmp_path / "short.safetensors"
    save_file(state, path)
    root = load_root(f"timm:{NAME}", weights=path)
    assert (root.native_image_size, "block.2" in root.layers, "block.3" in root.layers) == (48, True, False)
    with pytest.raises(InputError, match="has 3 blocks"):
        load_root(f"timm:{NAME}", weights=path, depth=4)


def test_another_layout_goes_through_timms_own_converter(vit: VisionTransformer, tmp_path: Path):
    path = tmp_path / "trunk.safetensors"
    save_file({f"visual.trunk.{key}": t for key, t in vit.state_dict().items() if not key.startswith("head")}, path)
    root = load_root(f"timm:{NAME}", weights=path)
    assert torch.equal(root.layers["block.5"]["attn.qkv.weight"], vit.blocks[5].attn.qkv.weight)  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]


def test_weights_of_another_model_are_refused(vit: VisionTransformer, weights: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"weights\.safetensors does not hold the weights of vit_tiny_patch16_224"):
        load_root("timm:vit_tiny_patch16_224", weights=weights)
    state = vit.state_dict()
    path = tmp_path / "part.safetensors"
    save_file({key: tensor for key, tensor in state.items() if key != "blocks.1.norm1.bias"}, path)
    with pytest.raises(InputError, match=r"lacks blocks\.1\.norm1\.bias"):
        load_root(f"timm:{NAME}", weights=path)
    save_file({**state, "extra": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="has extra, which it should not"):
        load_root(f"timm:{NAME}", weights=path)
    save_file({**state, "pos_embed": torch.zeros(1, 12, 64)}, path)
    with pytest.raises(InputError, match="no square grid"):
        load_root(f"timm:{NAME}", weights=path)
    save_file({**state, "pos_embed": torch.zeros(1, 10, 63)}, path)
    with pytest.raises(InputError, match="pos_embed is"):
        load_root(f"timm:{NAME}", weights=path)
    save_file({**state, "norm.bias": torch.full((64,), torch.nan)}, path)
    with pytest.raises(InputError, match="slot norm that are not finite"):
        load_root(f"timm:{NAME}", weights=path)
    save_file({"nothing": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"part\.safetensors does not hold"):
        load_root(f"timm:{NAME}", weights=path)


def test_weight_files_that_are_none(tmp_path: Path, weights: Path):
    with pytest.raises(InputError, match=r"gone\.safetensors is not there"):
        load_root(f"timm:{NAME}", weights=tmp_path / "gone.safetensors")
    short = tmp_path / "short.safetensors"
    short.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"short\.safetensors is no whole safetensors file"):
        load_root(f"timm:{NAME}", weights=short)
    with pytest.raises(InputError, match="for timm:NAME only"):
        load_root("builtin:glyphs", weights=weights)


def test_without_a_network_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch):
    create = timm.create_model

    def offline(name: str, pretrained: bool = False, **arguments):
        if pretrained:
            raise ConnectionError("cannot reach the hub\nmore lines")
        return create(name, pretrained=False, **arguments)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(InputError) as caught:
        load_root("timm:vit_tiny_patch16_224.augreg_in21k")
    message = str(caught.value)
    assert "cannot reach the hub" in message
    assert "--weights FILE.safetensors" in message
    assert "\n" not in message


def test_pretrained_weights_come_from_the_hub(monkeypatch: pytest.MonkeyPatch, vit: VisionTransformer):
    asked = []

    def download(name: str) -> dict[str, torch.Tensor]:
        asked.append(name)
        return dict(vit.state_dict())

    monkeypatch.setattr(timm_roots, "_download", download)
    root = load_root("timm:test_vit.r160_in1k", depth=1)
    assert asked == ["test_vit.r160_in1k"]
    assert torch.equal(root.layers["cls"]["cls_token"], vit.cls_token)  # pyright: ignore[reportArgumentType]


def test_a_model_without_weights_points_to_random():
    with pytest.raises(InputError, match="use random:vit_base_patch16_plus_240"):
        load_root("timm:vit_base_patch16_plus_240")


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("timm:vit_tiny_patch16_223", "did you mean 'vit_tiny_patch16_224'"),
        ("timm:vit_tiny_patch16_224.augreg_in21K", "did you mean 'vit_tiny_patch16_224.augreg_in21k'"),
        ("random:vit_tny_patch16_224", "did you mean 'vit_tiny_patch16_224'"),
        ("tim:vit_tiny_patch16_224", "did you mean 'timm'"),
        ("vit_tiny_patch16_224", "did you mean 'timm:vit_tiny_patch16_224'"),
        ("weights/Ti_16.npz", "did you mean 'npz:weights/Ti_16.npz'"),
        ("glyphs", "did you mean 'builtin:glyphs'"),
        ("builtin:glyph", "did you mean 'glyphs'"),
        ("timm:", "timm:NAME, npz:FILE, random:NAME, builtin:glyphs"),
        ("", "timm:NAME, npz:FILE, random:NAME, builtin:glyphs"),
        ("random:swin_tiny_patch4_window7_224", "what can be cut"),
        ("timm:eva02_tiny_patch14_224", "what can be cut"),
    ],
)
def test_unknown_roots(spec: str, hint: str):
    with pytest.raises(InputError) as caught:
        load_root(spec)
    assert hint in str(caught.value)


def test_random_roots_follow_their_seed_and_may_be_deeper():
    first = load_root("random:test_vit", depth=8, image_size=32, seed=1)
    again = load_root("random:test_vit", depth=8, image_size=32, seed=1)
    other = load_root("random:test_vit", depth=8, image_size=32, seed=2)
    ids = {slot: layer_id(layer) for slot, layer in first.layers.items()}
    assert ids == {slot: layer_id(layer) for slot, layer in again.layers.items()}
    assert ids["block.3"] != layer_id(other.layers["block.3"])
    assert len({ids[f"block.{k}"] for k in range(8)}) == 8
    assert (first.image_size, first.native_image_size, first.source) == (32, 32, "random:test_vit")


def test_random_root_of_the_size_of_the_paper():
    root = load_root("random:vit_tiny_patch16_224", depth=3, image_size=32)
    layers = {**root.layers, "head": new_head(192, 2)}
    network = Network(root.architecture, layers, 32)
    assert sum(p.numel() for p in network.parameters()) == 1_484_162
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 2)


@pytest.mark.parametrize(("depth", "message"), [(0, "at least 1 block"), (-1, "at least 1 block"), (7, "1 to 6")])
def test_impossible_depths(depth: int, message: str, weights: Path):
    with pytest.raises(InputError, match=message):
        load_root(f"timm:{NAME}", weights=weights, depth=depth)


def test_image_size_that_the_patch_does_not_divide(weights: Path):
    with pytest.raises(InputError, match="16 or 32"):
        load_root(f"timm:{NAME}", weights=weights, image_size=20)
    with pytest.raises(InputError, match="14 or 28"):
        load_root("random:vit_small_patch14_dinov2", image_size=27)


def glyphs_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `folder` the package's files."""
    monkeypatch.setattr(builtin, "files", lambda package: folder)
    asset = folder / "assets" / "glyphs" / "root.safetensors"
    asset.parent.mkdir(parents=True)
    return asset


def test_built_in_root_in_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asset = glyphs_in(tmp_path, monkeypatch)
    vit = randomise(VisionTransformer(img_size=32, embed_dim=192, depth=3, num_heads=3, num_classes=0).eval())
    save_file({key: tensor.half() for key, tensor in vit.state_dict().items()}, asset)
    root = load_root("builtin:glyphs")
    assert (root.image_size, root.native_image_size, root.source) == (32, 32, "builtin:glyphs")
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        vit.load_state_dict({key: tensor.half().float() for key, tensor in vit.state_dict().items()})
        torch.testing.assert_close(Network(root.architecture, root.layers, 32)(images), vit(images), rtol=0, atol=0)


def test_built_in_root_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    glyphs_in(tmp_path, monkeypatch)
    with pytest.raises(InputError, match="builtin:glyphs is missing"):
        load_root("builtin:glyphs")


def test_the_shipped_root_has_the_size_it_says():
    if not (files("munet") / "assets" / "glyphs" / "root.safetensors").is_file():
        pytest.skip("this checkout has no built-in root yet: tools/glyphs makes it")
    root = load_root("builtin:glyphs")
    assert sum(tensor.numel() for layer in root.layers.values() for tensor in layer.values()) == 1_483_776
    assert all(tensor.isfinite().all() for layer in root.layers.values() for tensor in layer.values())
    assert len({layer_id(root.layers[f"block.{k}"]) for k in range(3)}) == 3
