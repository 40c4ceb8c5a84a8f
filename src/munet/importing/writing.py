"""A checked plan written as layers, one at a time while they stream by, and models."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from munet.errors import InputError
from munet.importing.blueprint import Plan
from munet.importing.components import Component, slot_named
from munet.importing.flax_checkpoint import StoredArray, read_array
from munet.importing.state import Key, key_text
from munet.model.validation import check_stored
from munet.store.manifests import origin_of
from munet.store.schema import Manifest, NativePosembed

if TYPE_CHECKING:
    import torch

    from munet.roots.flax_layers import Layer
    from munet.store import Store

Progress = Callable[[int, int], None]


@dataclass
class Written:
    """Ids of what is stored: layers and momentum by component, models by their published key."""

    layers: dict[Key, str] = field(default_factory=dict)
    momentum: dict[Key, str] = field(default_factory=dict)
    models: dict[Key, str] = field(default_factory=dict)


def bytes_of(plan: Plan) -> int:
    """Bytes of all tensors that are imported, momentum included."""
    return sum(_bytes(component) for component in plan.components.values())


def write_layers(store: "Store", plan: Plan, written: Written, progress: Progress | None = None) -> None:
    """Convert and keep every component of the plan, in the order of the files: one at a time is in memory."""
    import torch

    total, done = bytes_of(plan), 0
    with ExitStack() as opened:
        files: dict[Path, BinaryIO] = {}
        for component in sorted(plan.components.values(), key=_place):
            if component.file not in files:
                opened.close()  # the files come one after another
                files = {component.file: opened.enter_context(component.file.open("rb", buffering=0))}
            file, slot, key = files[component.file], slot_named(component.name) or "", component.key
            layer = _layer(slot, file, component.arrays, torch.float32)
            if not all(bool(tensor.isfinite().all()) for tensor in layer.values()):
                name = f"{component.name}:{key_text(component.key)}"
                raise InputError(
                    f"{component.file}: {name} holds values that are infinite or no numbers, and no model with it can "
                    "predict: take a state that was published before it"
                )
            written.layers[key] = _put(store, layer)
            if component.momentum is not None:
                written.momentum[key] = _put(store, _layer(slot, file, component.momentum, torch.bfloat16))
            done += _bytes(component)
            if progress is not None:
                progress(done, total)


def _layer(slot: str, file: BinaryIO, arrays: Mapping[str, StoredArray], dtype: "torch.dtype") -> "Layer":
    from munet.roots.flax_layers import layer_of

    return layer_of(slot, lambda name: read_array(file, arrays[name]).to(dtype))


def _put(store: "Store", layer: "Layer") -> str:
    from munet.store.layer_file import serialize

    data = serialize(layer)
    layer.clear()  # so that a layer is in memory twice and not three times while it is flushed
    return store.put_layer_bytes(data)


def write_models(
    store: "Store", plan: Plan, drafts: Mapping[Key, Manifest], parents: Mapping[Key, Key], written: Written
) -> None:
    """Fill the ids into drafts and keep the models, each parent before its children."""
    for blueprint in [plan.root, *plan.models]:
        key = blueprint.model.key
        layers = {slot: written.layers[component] for slot, component in blueprint.slots.items()}
        manifest: Manifest = {**drafts[key], "layers": layers}
        if blueprint.model.task is None:
            # the grid of the pretraining is not in the published state; this is what is left of it
            native: NativePosembed = {"image_size": blueprint.image_size, "layer": layers["posembed"]}
            manifest["root"] = {**origin_of(manifest), "native_posembed": native}
        else:
            kept = {slot: written.momentum.get(component) for slot, component in blueprint.slots.items()}
            manifest["momentum"] = {slot: layer for slot, layer in kept.items() if layer is not None}
            manifest["parent"] = written.models[parents[key]]
        written.models[key] = store.put_model(manifest, check_stored)


def _place(component: Component) -> tuple[str, int]:
    return str(component.file), min(array.pieces[0][0] for array in component.arrays.values())


def _bytes(component: Component) -> int:
    arrays: list[StoredArray] = [*component.arrays.values(), *(component.momentum or {}).values()]
    return sum(array.bytes for array in arrays)
