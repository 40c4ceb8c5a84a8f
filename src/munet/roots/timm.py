"""Roots from timm: `timm:NAME` with pretrained weights from the hub or a file, `random:NAME` without."""

import warnings
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest
from munet.hub import patient
from munet.roots.files import check_file, read_safetensors
from munet.roots.layouts import from_transformers, without_prefix
from munet.roots.names import check_timm_name, unknown_model
from munet.roots.root import Root, check_depth, finish

if TYPE_CHECKING:
    from torch import Tensor

    from munet.model.vit import ViTArchitecture

_PLAIN_MODULES = ("timm.models.vision_transformer", "timm.models.deit")


def pretrained_root(name: str, depth: int | None, image_size: int | None, weights: str | Path | None) -> Root:
    """`timm:NAME`: weights from the hub, or from a safetensors file of its tensors."""
    check_timm_name(name)
    if weights is not None:
        check_file(Path(weights))
    architecture, vit = outline(name)
    state = _download(name) if weights is None else _from_file(name, vit, Path(weights))
    return finish(architecture, _fitting(name, vit, state, weights), f"timm:{name}", depth, image_size)


def random_root(name: str, depth: int | None, image_size: int | None, seed: int) -> Root:
    """`random:NAME`: the architecture of a timm ViT with untrained weights; any depth from 1."""
    check_timm_name(name)
    from munet.model.weight_init import random_root as draw
    from munet.rng import torch_rng

    architecture, vit = outline(name)
    check_depth(depth, None, f"random:{name}")
    size = vit.patch_embed.img_size[0] if image_size is None else image_size
    architecture.check_image_size(size)
    layers = draw(architecture, depth or len(vit.blocks), size, torch_rng(seed, "root"))
    return finish(architecture, layers, f"random:{name}", None, None)


def outline(name: str) -> "tuple[ViTArchitecture, Any]":
    """Architecture of a timm model, and the model without values. InputError for a name that cannot be cut."""
    import timm
    import torch

    from munet.model.from_timm import read_architecture, refuse

    _check_name(name)
    module = timm.models.model_entrypoint(name.partition(".")[0]).__module__
    if module not in _PLAIN_MODULES:
        rotary = " and its positions are rotary, which no slot holds" if module == "timm.models.eva" else ""
        refuse(name, f"it comes from {module}{rotary}")
    with torch.device("meta"):
        vit = timm.create_model(name, pretrained=False, num_classes=0, weight_init="skip")
    return read_architecture(vit, name), vit


def _check_name(name: str) -> None:
    import timm

    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        raise unknown_model(base, timm.list_models())
    if tag:
        tags = [known for known in timm.list_pretrained(f"{base}.*") if known.startswith(f"{base}.")]
        if name not in tags:
            raise InputError(
                f"timm has no weights '{name}'{suggest(name, tags)}: it has {', '.join(tags) or 'none'}",
                kind="unknown-root",
            )


def _download(name: str) -> "dict[str, Tensor]":
    import timm

    if not timm.list_pretrained(f"{name}.*" if "." not in name else name):
        raise InputError(f"timm has no weights for '{name}': give --weights FILE.safetensors, or use random:{name}")
    try:
        with patient():
            return timm.create_model(name, pretrained=True, num_classes=0).state_dict()
    except Exception as error:  # the hub's clients raise errors of many libraries; all mean the same to the user
        reason = shorten(str(error) or type(error).__name__, 120, placeholder=" ...")
        raise InputError(
            f"the weights of timm:{name} cannot be downloaded ({reason}): connect to the network, or give "
            "--weights FILE.safetensors, or start from builtin:glyphs"
        ) from error


def _from_file(name: str, vit: Any, path: Path) -> "dict[str, Tensor]":
    """Tensors with timm's names, perhaps behind a wrapper's prefix, or of transformers, or as timm itself can convert
    them to this model."""
    state = without_prefix(read_safetensors(path))
    state = from_transformers(state, str(path)) or state
    if "patch_embed.proj.weight" in state and "pos_embed" in state:
        return state
    from timm.models.vision_transformer import checkpoint_filter_fn

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return checkpoint_filter_fn(state, vit)
    except (KeyError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} does not hold the tensors of timm:{name} ({error})") from error


def _fitting(
    name: str, vit: Any, state: "dict[str, Tensor]", weights: str | Path | None
) -> "dict[str, dict[str, Tensor]]":
    """Cut `state`, which must hold this model's tensors, if perhaps of fewer blocks and another image size."""
    from munet.model.state_dict import slot_of, split_state_dict

    source = f"timm:{name}" if weights is None else str(weights)
    wanted = {key: tuple(tensor.shape) for key, tensor in vit.state_dict().items()}
    given = {key: tensor for key, tensor in state.items() if not key.startswith(("head.", "head_drop."))}
    blocks = {slot_of(key)[0] for key in given if key.startswith("blocks.")}
    stray = sorted(set(given) - set(wanted))
    missing = sorted(
        key for key in set(wanted) - set(given) if not key.startswith("blocks.") or slot_of(key)[0] in blocks
    )
    if stray or missing:
        what = f"has {stray[0]}, which it should not" if stray else f"lacks {missing[0]}"
        raise InputError(f"{source} does not hold the weights of {name}: it {what}")
    for key, tensor in given.items():
        if tuple(tensor.shape) != wanted[key] and (key != "pos_embed" or tensor.ndim != 3):
            raise InputError(
                f"{source} does not hold the weights of {name}: {key} is {tuple(tensor.shape)}, not {wanted[key]}"
            )
    return split_state_dict(given)
