"""A store's models as networks, their layers read and verified once. What evolution, workers and inference hold."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from cachetools import LRUCache

from munet.errors import InputError
from munet.model.cost import flops
from munet.model.kinds import AnyArchitecture, architecture_from_json, transformer
from munet.model.slots import blocks_in
from munet.model.validation import built
from munet.model.vit import ViTArchitecture
from munet.store import Store
from munet.store.records import DamagedFile
from munet.store.schema import Manifest

if TYPE_CHECKING:
    import torch

    from munet.model.staged import StagedNetwork

Tensors = dict[str, "torch.Tensor"]
CACHE_BYTES = 2 << 30  # of layers in the memory of one process


def layer_cache() -> "LRUCache[str, Tensors]":
    """Layers by id, the least recently used let go beyond `CACHE_BYTES`; one that is larger is not kept."""
    return LRUCache(CACHE_BYTES, getsizeof=bytes_of)


def bytes_of(tensors: "Mapping[str, torch.Tensor]") -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


class LayerSource(Protocol):
    """Where the layers that a child begins with come from: a store, or what a worker without its disk was sent."""

    @property
    def architecture(self) -> ViTArchitecture: ...
    @property
    def root(self) -> str: ...
    def manifest(self, model: str) -> Manifest: ...
    def layer(self, identity: str) -> Tensors: ...


class HasModels(Protocol):
    """Whoever holds a loader: a `System`."""

    @property
    def models(self) -> "ModelLoader": ...


class ModelLoader:
    """The models of one store by their ids. Reading takes no lock; layers are shared, never change them in place."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._layers = layer_cache()
        self._kind: AnyArchitecture | None = None

    @property
    def root(self) -> str:
        """Id of the root model."""
        return self.store.root

    @property
    def kind(self) -> AnyArchitecture:
        """What all models of the store have in common."""
        if self._kind is None:
            self._kind = architecture_from_json(self.manifest(self.root)["architecture"])
        return self._kind

    @property
    def architecture(self) -> ViTArchitecture:
        """The vision transformer that the models are paths through. InputError where they are of another kind."""
        return transformer(self.kind, self.store.path)

    @property
    def image_size(self) -> int:
        """Side in pixels of what the root reads."""
        return self.manifest(self.root)["hyperparameters"]["image_size"]

    def root_flops(self, image_size: int | None = None) -> int:
        """FLOPs of one forward pass of the root with a head of two classes, of an image of so many pixels a side."""
        blocks = blocks_in(self.manifest(self.root)["layers"])
        return flops(self.architecture, blocks, image_size or self.image_size, 2)

    def manifest(self, model: str) -> Manifest:
        """The manifest of a model by its id, with the name that its task has here."""
        return self.store.local_model(model)

    def layer(self, identity: str) -> Tensors:
        """The tensors of a layer, verified once and then shared; never change them in place."""
        tensors = self._layers.get(identity)
        if tensors is None:
            tensors = self.store.get_layer(identity)
            if bytes_of(tensors) <= CACHE_BYTES:
                self._layers[identity] = tensors
        return tensors

    def layers(self, model: str) -> dict[str, Tensors]:
        """The tensors of a model by slot."""
        return {slot: self.layer(identity) for slot, identity in self.manifest(model)["layers"].items()}

    def network(self, model: str) -> "StagedNetwork":
        """A model by its id as an `nn.Module` in eval mode that shares the stored tensors.

        DamagedError where its layers do not fit its architecture.
        """
        try:
            network = built(self.manifest(model), self.layers(model))
        except InputError as error:
            if error.kind == "newer-format":
                raise
            raise DamagedFile(self.store.models.path(model), f"cannot be used: {error}", self.store.path) from error
        if network is None:
            raise InputError("the root of an exported allocation computes nothing: give one of its tasks")
        return network
