"""From a plan to a child that can be trained: each slot's layer is found in the lineage, shared or copied, or made.

The nearest living ancestor that holds a fitting layer gives it. What another task or the root owns is shared, frozen,
unless the plan clones it; what nobody owns is always copied and trained on (muNet sec. 3, as its published code does).
A child is only described here, in plain values; whoever trains it makes the tensors (`child_trainer.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from munet.evolution.origins import LayerOrigin, Tensors, resized_posembed
from munet.model.cost import slot_sizes
from munet.model.slots import is_adapter
from munet.search.lineage import fits
from munet.store.layer_file import layer_id
from munet.store.schema import Manifest

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader
    from munet.search import Method, Plan


@dataclass
class ChildSpec:
    """A child before its training, without its tensors."""

    origins: dict[str, LayerOrigin] = field(default_factory=dict)  # of every slot, in forward order
    shared: dict[str, str] = field(default_factory=dict)  # slot -> layer id of what stays frozen
    trainable: set[str] = field(default_factory=set)
    momentum: dict[str, str] = field(default_factory=dict)  # slot -> layer id of the buffers inherited with a clone
    sizes: dict[str, int] = field(default_factory=dict)  # slot -> parameters


class Inheritance:
    """Describes the children of one active task."""

    def __init__(
        self,
        models: "ModelLoader",
        method: "Method",
        task: str,
        classes: int,
        owned: Mapping[str, set[str]],
        *,
        refit: bool = False,
    ) -> None:
        """`refit`: heads are made anew, also where the task has one."""
        self.models = models
        self.method = method
        self.task = task
        self.classes = classes
        self.owned = owned  # without the active task
        self.refit = refit
        self.root = models.manifest(models.root)
        self._root_layers = set(self.root["layers"].values())
        self._resized: dict[int, tuple[Tensors, str]] = {}

    def locked(self, layer: str, image_size: int) -> bool:
        """Whether the root or another task owns a layer, so that it may only be shared or copied."""
        fresh = self.method.resized_posembed == "shared" and self.resized(image_size)[1] == layer
        return layer in self._root_layers or bool(self.owned.get(layer)) or fresh

    def locked_slots(self, manifest: Manifest) -> frozenset[str]:
        """Slots of a possible parent whose layers are locked. A head is, unless it is the active task's own."""
        size = manifest["hyperparameters"]["image_size"]
        return frozenset(
            slot
            for slot, layer in manifest["layers"].items()
            if self.locked(layer, size) or (slot == "head" and manifest["task"] != self.task)
        )

    def resolve(self, plan: "Plan", ancestors: Sequence[Manifest]) -> ChildSpec:
        """Resolve every slot of the plan. `ancestors`: living lineage, the parent first."""
        child, architecture = ChildSpec(), self.models.architecture
        dim = int(plan.hyperparameters.get("adapter_dim", 0))
        adapters = dict.fromkeys(plan.adapters, dim)
        inputs = self._head_inputs(plan)
        child.sizes = slot_sizes(architecture, plan.num_blocks, plan.image_size, self.classes, adapters, inputs)
        for slot in architecture.slots(plan.num_blocks, plan.adapters):
            source = self._source(slot, plan, ancestors)
            if slot == "head" and source is not None and not self._is_whole(source, child):
                self._extend(child, source)
            elif source is None:
                self._make(child, slot, plan)
            else:
                self._inherit(child, slot, plan, source)
        return child

    def _source(self, slot: str, plan: "Plan", ancestors: Sequence[Manifest]) -> Manifest | None:
        """The nearest ancestor whose layer fits the slot."""
        settings = plan.hyperparameters
        if slot == "head" and self.refit:
            return None
        for manifest in ancestors:
            mine = slot != "head" or manifest["task"] == self.task
            if mine and fits(slot, manifest["layers"], manifest["hyperparameters"], settings):
                return manifest
        return None

    def _inherit(self, child: ChildSpec, slot: str, plan: "Plan", source: Manifest) -> None:
        layer = source["layers"][slot]
        child.origins[slot] = LayerOrigin("stored", layer)
        if slot not in plan.cloned:
            child.shared[slot] = layer
            return
        child.trainable.add(slot)
        if self.method.inherit_momentum and slot in source["momentum"]:
            child.momentum[slot] = source["momentum"][slot]

    def _is_whole(self, source: Manifest, child: ChildSpec) -> bool:
        """Whether a head of this task has a row for each of its classes, to which some may have been added."""
        return source["sizes"]["head"] >= child.sizes["head"]

    def _extend(self, child: ChildSpec, source: Manifest) -> None:
        """A head with rows for more classes: the old ones as they are and zeros, or all of it anew in closed form."""
        closed = self.method.head == "closed-form"
        extended = LayerOrigin("extended", source["layers"]["head"], self.classes)
        child.origins["head"] = LayerOrigin("closed-form", self.classes) if closed else extended
        child.trainable.add("head")

    def _make(self, child: ChildSpec, slot: str, plan: "Plan") -> None:
        if slot == "head":
            kind = "closed-form" if self.method.head == "closed-form" else "head"
            child.origins[slot] = LayerOrigin(kind, self.classes, inputs=self._head_inputs(plan))
        elif is_adapter(slot):
            child.origins[slot] = LayerOrigin("adapter", int(plan.hyperparameters["adapter_dim"]))
        elif slot == "posembed":
            child.origins[slot] = LayerOrigin("posembed", plan.image_size)
            if slot not in plan.cloned:
                child.shared[slot] = self.resized(plan.image_size)[1]
                return
        else:
            raise AssertionError(f"no ancestor holds {slot}, not even the root")
        child.trainable.add(slot)

    def _head_inputs(self, plan: "Plan") -> int:
        return self.models.architecture.head_inputs(str(plan.hyperparameters.get("head_features", "pooled")))

    def resized(self, image_size: int) -> tuple[Tensors, str]:
        """The root's own position embeddings for an image size in pixels, and the layer's id."""
        if image_size not in self._resized:
            tensors = resized_posembed(self.models, image_size)
            self._resized[image_size] = (tensors, layer_id(tensors))
        return self._resized[image_size]
