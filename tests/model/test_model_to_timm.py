import json
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer

from model_tools import SMALL, images_of, small_vit
from munet.errors import InputError, StoreError
from munet.model.from_timm import read_architecture
from munet.model.network import Network
from munet.model.state_dict import split_state_dict
from munet.model.to_timm import export_model
from munet.model.weight_init import new_adapter

CLASSES = ["a", "b", "ç", "d", "e"]


def export(vit: VisionTransformer, path: Path, **more):
    layers = {**split_state_dict(vit.state_dict()), **more.pop("layers", {})}
    return export_model(read_architecture(vit), layers, vit.patch_embed.img_size[0], CLASSES, path, **more)  # type: ignore[index]


@pytest.mark.parametrize("name", SMALL)
def test_plain_timm_loads_it_with_equal_logits(name: str, tmp_path: Path):
    vit = small_vit(name)
    path = tmp_path / "model.safetensors"
    export(vit, path)
    info = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    again = timm.create_model(info["model"], **info["kwargs"]).eval()
    again.load_state_dict(load_file(path), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(again(images_of(vit)), vit(images_of(vit)), rtol=0, atol=0)


@pytest.mark.parametrize("arguments", [{}, {"fc_norm": True}])
def test_a_head_of_two_tokens_is_two_lines_in_timm(arguments: dict, tmp_path: Path):
    vit = small_vit("vit_small_patch14_reg4_dinov2", **arguments)
    draws = torch.Generator().manual_seed(2)
    head = {"weight": torch.randn(5, 96, generator=draws), "bias": torch.randn(5, generator=draws)}
    path = tmp_path / "model.safetensors"
    about, weights = export(vit, path, layers={"head": head}), load_file(path)
    assert about["head_features"] == "class-token+patches"
    trunk = timm.create_model(about["model"], **about["kwargs"]).eval()
    trunk.load_state_dict({name: tensor for name, tensor in weights.items() if not name.startswith("head.")})
    with torch.no_grad():
        x = trunk.forward_features(images_of(vit))  # type: ignore[operator]
        pair = [trunk.fc_norm(x[:, 0]), trunk.fc_norm(x[:, trunk.num_prefix_tokens :].mean(1))]  # type: ignore[operator]
        logits = torch.nn.functional.linear(torch.cat(pair, 1), weights["head.weight"], weights["head.bias"])
        layers = {**split_state_dict(vit.state_dict()), "head": head}
        expected = Network(read_architecture(vit), layers, 28)(images_of(vit))
    torch.testing.assert_close(logits, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    "name", ["vit_tiny_patch16_224", "vit_small_patch14_reg4_dinov2", "vit_base_patch16_siglip_224"]
)
def test_the_arguments_make_the_class_itself(name: str, tmp_path: Path):
    vit = small_vit(name)
    info = export(vit, tmp_path / "model.safetensors")
    again = VisionTransformer(**info["kwargs"]).eval()
    again.load_state_dict(load_file(info["weights"]), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(again(images_of(vit)), vit(images_of(vit)), rtol=0, atol=0)


def test_the_description_holds_what_a_user_needs(tmp_path: Path):
    vit = small_vit("vit_base_patch32_clip_224")
    info = export(vit, tmp_path / "model.safetensors")
    written = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert written["classes"] == CLASSES
    assert written["head_features"] == "pooled"
    assert (written["image_size"], written["kwargs"]["num_classes"]) == (64, 5)
    assert written["mean"] == pytest.approx([0.48145466, 0.4578275, 0.40821073])
    assert {key: info[key] for key in written} == written | {
        "description": info["description"]
    } or "description" in info
    assert str(tmp_path) not in (tmp_path / "model.json").read_text(encoding="utf-8")


def test_adapters_are_refused_unless_asked_for(tmp_path: Path):
    vit = small_vit("vit_tiny_patch16_224")
    adapter = {"adapter.1": new_adapter(48, 8, torch.Generator().manual_seed(0))}
    adapter["adapter.1"]["up.weight"].fill_(0.1)
    path = tmp_path / "model.safetensors"
    with pytest.raises(InputError, match="adapters before the blocks 1"):
        export(vit, path, layers=adapter)
    assert list(tmp_path.iterdir()) == []
    info = export(vit, path, layers=adapter, with_adapters=True)
    assert info["adapters"] == {"1": 8}
    layers = split_state_dict(load_file(path))
    network = Network(read_architecture(vit), layers, 32)
    expected = Network(read_architecture(vit), {**split_state_dict(vit.state_dict()), **adapter}, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(images_of(vit)), expected(images_of(vit)), rtol=0, atol=0)


def test_bad_targets(tmp_path: Path):
    vit = small_vit("vit_tiny_patch16_224")
    with pytest.raises(InputError, match="should end in"):
        export(vit, tmp_path / "model.bin")
    with pytest.raises(InputError, match="is not a folder"):
        export(vit, tmp_path / "none" / "model.safetensors")
    (tmp_path / "taken.safetensors").mkdir()
    with pytest.raises(StoreError, match="taken"):
        export(vit, tmp_path / "taken.safetensors")
    with pytest.raises(InputError, match="5 outputs for 2 classes"):
        export_model(
            read_architecture(vit), split_state_dict(vit.state_dict()), 32, ["a", "b"], tmp_path / "m.safetensors"
        )
    odd = small_vit(
        "vit_tiny_patch16_224", norm_layer=lambda width, **more: torch.nn.LayerNorm(width, eps=1e-3, **more)
    )
    with pytest.raises(InputError, match="eps"):
        export(odd, tmp_path / "odd.safetensors")


def test_a_root_exports_without_a_head(tmp_path: Path):
    vit = small_vit("vit_tiny_patch16_224", classes=0)
    path = tmp_path / "root.safetensors"
    info = export_model(read_architecture(vit), split_state_dict(vit.state_dict()), 32, [], path)
    again = timm.create_model(info["model"], **info["kwargs"]).eval()
    again.load_state_dict(load_file(path), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(again(images_of(vit)), vit(images_of(vit)), rtol=0, atol=0)
