"""Layers for workers that do not see the system's disk: what a litter needs is handed to them."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.errors import DamagedError
from munet.store.layer_file import deserialize, id_of_bytes

if TYPE_CHECKING:
    from munet.evolution.jobs import Litter
    from munet.evolution.origins import Tensors
    from munet.model.vit import Architecture

_ROOM = 2 << 30  # bytes of layers to hold in memory


@dataclass(frozen=True)
class Parcel:
    """The root, and references to the files of layers by their ids."""

    root: str
    manifest: dict[str, Any]
    layers: Mapping[str, Any]


def layers_needed(litter: "Litter", root: Mapping[str, Any]) -> set[str]:
    """Ids of the layers that the children of a litter begin with. `root` is the manifest of the root."""
    needed: set[str] = set()
    for job in litter.jobs:
        needed.update(job.child.momentum.values())
        for origin in job.child.origins.values():
            if origin.kind == "stored":
                needed.add(str(origin.of))
            elif origin.kind == "posembed":
                needed.add(root["root"]["native_posembed"]["layer"])
    return needed


class HandedLibrary:
    """A `Library` of what was handed over. `fetch` gives the bytes behind a reference."""

    def __init__(self, fetch: Callable[[Any], bytes]) -> None:
        self._fetch = fetch
        self._parcel = Parcel("", {}, {})
        self._architecture: Architecture | None = None
        self._layers: OrderedDict[str, tuple[Tensors, int]] = OrderedDict()

    def take(self, parcel: Parcel) -> None:
        """What the next litter needs. References of the one before are let go."""
        self._parcel = parcel

    def let_go(self) -> None:
        """Hold on to no reference: whoever made them may free what they stand for."""
        self._parcel = Parcel(self._parcel.root, self._parcel.manifest, {})

    @property
    def architecture(self) -> "Architecture":
        from munet.model.vit import Architecture

        if self._architecture is None:
            self._architecture = Architecture.from_json(self._parcel.manifest["architecture"])
        return self._architecture

    @property
    def root(self) -> str:
        return self._parcel.root

    def manifest(self, model: str) -> dict[str, Any]:
        """The manifest of the root; no other is needed to train."""
        if model != self._parcel.root:
            raise KeyError(f"model {model} was not handed over")
        return self._parcel.manifest

    def layer(self, identity: str) -> "Tensors":
        """The tensors of a layer, verified once and then shared; never change them in place."""
        if identity not in self._layers:
            data = self._fetch(self._parcel.layers[identity])
            if id_of_bytes(data) != identity:
                raise DamagedError(f"layer {identity} was damaged on its way to a worker: give the same command again")
            self._layers[identity] = (deserialize(data), len(data))
        self._layers.move_to_end(identity)
        tensors = self._layers[identity][0]
        while len(self._layers) > 1 and sum(size for _, size in self._layers.values()) > _ROOM:
            self._layers.popitem(last=False)
        return tensors
