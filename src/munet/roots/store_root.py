"""The first model of a system: the root, whose layers every task may share and none may change."""

from pathlib import Path
from typing import TYPE_CHECKING

from munet.model.validation import check_stored
from munet.store.layer_file import layer_size
from munet.store.schema import manifest

if TYPE_CHECKING:
    from munet.store import Store


def store_root(
    store: "Store",
    root: str,
    *,
    depth: int | None = None,
    image_size: int | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
) -> str:
    """Load a root and store it as a model without a task; returns the model's id."""
    from munet.roots import load_root

    loaded = load_root(root, depth=depth, image_size=image_size, weights=weights, seed=seed)
    native = store.put_layer(loaded.native_posembed)
    root_manifest = manifest(
        architecture=loaded.architecture.to_json(),
        layers={slot: store.put_layer(tensors) for slot, tensors in loaded.layers.items()},
        sizes={slot: layer_size(tensors) for slot, tensors in loaded.layers.items()},
        hyperparameters={"image_size": loaded.image_size},
        root={
            "source": loaded.source,
            # position embeddings of other image sizes are resized from this grid, never from a tuned one
            "native_posembed": {"image_size": loaded.native_image_size, "layer": native},
        },
    )
    return store.put_model(root_manifest, check_stored)
