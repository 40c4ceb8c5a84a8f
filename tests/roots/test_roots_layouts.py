"""Weights and names as other libraries have them."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from munet.errors import InputError
from munet.roots import load_root
from munet.roots.layouts import from_transformers, without_prefix
from munet.roots.names import check_timm_name
from munet.roots.other_names import _KNOWN, timm_name


def vit(name: str, depth: int = 2) -> "torch.nn.Module":
    torch.manual_seed(0)
    model = timm.create_model(name, depth=depth, img_size=28 if "14" in name else 32, num_classes=3)
    for parameter in model.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    return model


def as_transformers(state: dict[str, Tensor], prefix: str, dinov2: bool) -> dict[str, Tensor]:
    """The names of `ViTForImageClassification`, or of `Dinov2ForImageClassification`."""
    found: dict[str, Tensor] = {"classifier.weight": state["head.weight"]}
    names = {
        "cls_token": "embeddings.cls_token",
        "pos_embed": "embeddings.position_embeddings",
        "reg_token": "embeddings.register_tokens",
        "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
        "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    }
    of_block = {
        "norm1": "norm1" if dinov2 else "layernorm_before",
        "norm2": "norm2" if dinov2 else "layernorm_after",
        "attn.proj": "attention.output.dense",
        "mlp.fc1": "mlp.fc1" if dinov2 else "intermediate.dense",
        "mlp.fc2": "mlp.fc2" if dinov2 else "output.dense",
    }
    for key, tensor in state.items():
        if key in names:
            found[prefix + names[key]] = tensor
        if not key.startswith("blocks."):
            continue
        _, number, rest = key.split(".", 2)
        stem, _, kind = rest.rpartition(".")
        layer = f"{prefix}encoder.layer.{number}."
        if stem == "attn.qkv":
            for part, values in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                found[f"{layer}attention.attention.{part}.{kind}"] = values.contiguous()
        elif stem in ("ls1", "ls2"):
            found[f"{layer}layer_scale{stem[-1]}.lambda1"] = tensor
        else:
            found[f"{layer}{of_block[stem]}.{kind}"] = tensor
    return found


@pytest.mark.parametrize(
    ("name", "prefix", "dinov2"),
    [
        ("vit_tiny_patch16_224", "vit.", False),
        ("vit_tiny_patch16_224", "", False),
        ("vit_small_patch14_dinov2", "dinov2.", True),
        ("vit_small_patch14_reg4_dinov2", "dinov2_with_registers.", True),
    ],
)
def test_weights_of_transformers_are_those_of_timm(name: str, prefix: str, dinov2: bool, tmp_path: Path) -> None:
    state = vit(name).state_dict()
    save_file(as_transformers(state, prefix, dinov2), tmp_path / "transformers.safetensors")
    save_file(state, tmp_path / "timm.safetensors")
    theirs = load_root(f"timm:{name}", weights=tmp_path / "transformers.safetensors")
    ours = load_root(f"timm:{name}", weights=tmp_path / "timm.safetensors")
    assert theirs.layers.keys() == ours.layers.keys()
    for slot, tensors in ours.layers.items():
        assert all(torch.equal(theirs.layers[slot][key], tensor) for key, tensor in tensors.items()), slot


@pytest.mark.parametrize(
    "prefix", ["model.", "module.", "model.backbone.", "module.model.", "net.", "student.encoder.", "_orig_mod."]
)
def test_what_a_wrapper_puts_before_the_names_is_taken_off(prefix: str, tmp_path: Path) -> None:
    state = vit("vit_tiny_patch16_224", 1).state_dict()
    save_file({prefix + key: tensor for key, tensor in state.items()}, tmp_path / "wrapped.safetensors")
    assert load_root("timm:vit_tiny_patch16_224", weights=tmp_path / "wrapped.safetensors").layers
    assert without_prefix(state).keys() == state.keys()


def test_weights_that_lack_a_part_are_named(tmp_path: Path) -> None:
    state = as_transformers(dict(vit("vit_tiny_patch16_224", 1).state_dict()), "", False)
    del state["encoder.layer.0.attention.attention.key.weight"]
    with pytest.raises(InputError, match=r"FILE lacks the key of blocks\.0: fetch it again"):
        from_transformers(state, "FILE")
    assert from_transformers({"weight": torch.zeros(1)}, "FILE") is None


def test_an_archive_of_arrays_is_a_root_of_its_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "Ti_16.npz", cls=np.zeros(3))
    with pytest.raises(InputError, match=r"Ti_16\.npz is an archive of arrays.*--root npz:.*Ti_16\.npz"):
        load_root("timm:vit_tiny_patch16_224", weights=tmp_path / "Ti_16.npz")


def test_a_pickle_is_not_opened_and_the_line_that_converts_it_works(tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    torch.save({"state_dict": vit("vit_tiny_patch16_224", 1).state_dict()}, file)
    with pytest.raises(InputError, match="is a pickle, which munet never opens") as error:
        load_root("timm:vit_tiny_patch16_224", weights=file)
    (code,) = re.findall(r'python -c "(.+)"$', str(error.value))
    subprocess.run([sys.executable, "-c", code], check=True)
    assert load_root("timm:vit_tiny_patch16_224", weights=file.with_suffix(".safetensors")).layers


def test_names_of_other_libraries_find_timms() -> None:
    for theirs, ours in _KNOWN.items():
        check_timm_name(ours)
        base, _, tag = ours.partition(".")
        assert timm.is_model(base), theirs
        assert not tag or ours in timm.list_pretrained(f"{base}.*"), theirs
        for spec in (theirs, f"timm:{theirs}", f"random:{theirs}"):
            with pytest.raises(InputError, match=rf"did you mean '(timm:)?{re.escape(ours)}'\?"):
                load_root(spec)
    assert timm_name("resnet50") is None


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("hf-hub:timm/vit_tiny_patch16_224.augreg_in21k", "did you mean 'timm:vit_tiny_patch16_224.augreg_in21k'?"),
        ("https://huggingface.co/timm/vit_tiny_patch16_224", "did you mean 'timm:vit_tiny_patch16_224'?"),
        ("timm:timm/deit3_small_patch16_224", "did you mean 'deit3_small_patch16_224'?"),
        ("dinov3_vits16", "its positions are rotary"),
        ("timm:facebook/dinov3-vits16-pretrain-lvd1689m", "its positions are rotary"),
        ("timm:vit_small_patch16_dinov3", "its positions are rotary"),
        ("timm:eva02_tiny_patch14_224", "its positions are rotary"),
        ("weights/my.safetensors", "--root timm:NAME --weights weights/my.safetensors"),
    ],
)
def test_a_root_that_cannot_be_says_why_or_what_was_meant(spec: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_root(spec)
    assert said in str(caught.value)
