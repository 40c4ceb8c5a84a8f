"""Layers for workers that do not see the system's disk: those that a job group needs are sent along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.errors import DamagedError
from munet.model.loader import CACHE_BYTES, bytes_of, layer_cache
from munet.model.vit import ViTArchitecture
from munet.store.layer_file import deserialize, id_of_bytes
from munet.store.manifests import native_posembed_of
from munet.store.schema import Manifest

if TYPE_CHECKING:
    from munet.evolution.jobs import Work
    from munet.model.loader import Tensors


@dataclass(frozen=True)
class LayerBundle:
    """The root, and references to the files of layers by their ids."""

    root: str
    manifest: Manifest | None  # of the root; None before anything was handed over
    layers: Mapping[str, Any]


def layers_needed(group: "Work", root: Manifest) -> set[str]:
    """Ids of the layers that the children of a job group begin with. `root` is the manifest of the root."""
    needed: set[str] = set()
    for job in group.jobs:
        needed.update(job.child.momentum.values())
        for origin in job.child.origins.values():
            if origin.kind == "stored":
                needed.add(str(origin.of))
            elif origin.kind == "posembed":
                needed.add(native_posembed_of(root)["layer"])
    return needed


class ShippedLayers:
    """A `LayerSource` of the layers of a bundle. `fetch` gives the bytes behind a reference."""

    def __init__(self, fetch: Callable[[Any], bytes]) -> None:
        self._fetch = fetch
        self._bundle = LayerBundle("", None, {})
        self._architecture: ViTArchitecture | None = None
        self._layers = layer_cache()

    def take(self, bundle: LayerBundle) -> None:
        """Use the layers that the next job group needs. References of the one before are dropped."""
        self._bundle = bundle

    def let_go(self) -> None:
        """Drop all references, so that their maker may free the memory behind them."""
        self._bundle = LayerBundle(self._bundle.root, self._bundle.manifest, {})

    @property
    def architecture(self) -> "ViTArchitecture":
        if self._architecture is None:
            self._architecture = ViTArchitecture.from_json(self.manifest(self.root)["architecture"])
        return self._architecture

    @property
    def root(self) -> str:
        return self._bundle.root

    def manifest(self, model: str) -> Manifest:
        """The manifest of the root; no other is needed to train."""
        if model != self._bundle.root or self._bundle.manifest is None:
            raise KeyError(f"model {model} was not handed over")
        return self._bundle.manifest

    def layer(self, identity: str) -> "Tensors":
        """The tensors of a layer, verified once and then shared; never change them in place."""
        tensors = self._layers.get(identity)
        if tensors is None:
            data = self._fetch(self._bundle.layers[identity])
            if id_of_bytes(data) != identity:
                raise DamagedError(f"layer {identity} was damaged on its way to a worker: give the same command again")
            tensors = deserialize(data)
            if bytes_of(tensors) <= CACHE_BYTES:
                self._layers[identity] = tensors
        return tensors
