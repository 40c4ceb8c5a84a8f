"""A model of a system as a safetensors file that plain timm loads, and a JSON file that says how."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.fs.atomic import write_atomic
from munet.model.slots import adapter, adapters_of, depth_of
from munet.model.vit import ViTArchitecture
from munet.store.layer_file import serialize

if TYPE_CHECKING:
    from torch import Tensor

    Layers = Mapping[str, Mapping[str, Tensor]]

# JSON cannot say which eps a norm has; these timm models have it, and the arguments replace all else of theirs
_BASE_OF_EPS = {1e-6: "vit_base_patch16_224", 1e-5: "vit_base_patch32_clip_224"}


def export_model(
    architecture: ViTArchitecture,
    layers: "Layers",
    image_size: int,
    classes: Sequence[str],
    path: str | Path,
    *,
    with_adapters: bool = False,
    preprocessing: Mapping[str, Any] | None = None,
    temperature: float = 1.0,
) -> dict[str, Any]:
    """Write the model to `path` (.safetensors, timm's tensor names) and its description beside it (.json).

    `timm.create_model(d["model"], **d["kwargs"])` with the description d makes the module whose `load_state_dict`
    takes the file and that computes equal logits; where the norms' eps is 1e-6, so does
    `timm.models.vision_transformer.VisionTransformer(**d["kwargs"])`. timm has no adapters: a model that has some is
    refused, or `with_adapters` written with the names `adapters.k.*`, which plain timm does not load. Nor has it a head
    of twice the width: with `head_features` "class-token+patches" the module is one without a head, which takes all but
    `head.*`; of its `forward_features` x the logits are
    `linear(cat([fc_norm(x[:, 0]), fc_norm(x[:, num_prefix_tokens:].mean(1))], 1), head.weight, head.bias)`.
    `preprocessing`, what happens to an image before, and `temperature`, what logits are divided by, are written as they
    are. Returns the description and the two paths.
    InputError, StoreError (the disk).
    """
    from munet.model.state_dict import join_state_dict

    path = Path(path)
    check_target(path)
    adapters = {k: int(layers[adapter(k)]["down.weight"].shape[0]) for k in sorted(adapters_of(layers))}
    if adapters and not with_adapters:
        before = ", ".join(str(k) for k in adapters)
        raise InputError(
            f"the model has adapters before the blocks {before}, which plain timm cannot load: "
            "export another model, or give with_adapters=True to write them as adapters.k.*"
        )
    description = _description(architecture, layers, image_size, classes, adapters)
    description["temperature"] = temperature
    if preprocessing is not None:
        description["preprocessing"] = dict(preprocessing)
    data = serialize(join_state_dict(layers))
    sidecar = path.with_suffix(".json")
    write_atomic(path, data)
    write_atomic(sidecar, (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode())
    return {**description, "weights": str(path), "description": str(sidecar)}


def check_target(path: Path) -> None:
    """InputError unless `path` can be what is written to."""
    if path.suffix != ".safetensors":
        raise InputError(f"{path} should end in .safetensors")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder: make it first", kind="missing-file")


def _description(
    architecture: ViTArchitecture,
    layers: "Layers",
    image_size: int,
    classes: Sequence[str],
    adapters: Mapping[int, int],
) -> dict[str, Any]:
    from munet.model.modules import timm_arguments

    if architecture.norm_eps not in _BASE_OF_EPS:
        raise InputError(f"norms with eps {architecture.norm_eps} cannot be described to timm: 1e-6 and 1e-5 can")
    outputs = int(layers["head"]["weight"].shape[0]) if "head" in layers else 0
    if outputs != len(classes):
        raise InputError(f"the head has {outputs} outputs for {len(classes)} classes")
    wide = "head" in layers and int(layers["head"]["weight"].shape[1]) == 2 * architecture.width
    return {
        "model": _BASE_OF_EPS[architecture.norm_eps],
        "kwargs": timm_arguments(architecture, depth_of(layers), image_size, 0 if wide else outputs),
        "image_size": image_size,
        "mean": list(architecture.mean),
        "std": list(architecture.std),
        "classes": list(classes),
        "head_features": "class-token+patches" if wide else "pooled",
        "adapters": {str(k): dim for k, dim in adapters.items()},
    }
