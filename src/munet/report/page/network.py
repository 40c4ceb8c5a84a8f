"""Layers, paths and moments with small numbers for names: what the page draws the network from, at any step.

A path is written as another one (its base) and the slots in which it differs, `[base, slot, layer, slot, layer, ...]`;
layer -1 says that the slot is gone. Path 0 is the root's.
"""

from collections.abc import Mapping
from typing import Any

from munet.analysis.growth import Moment, growth
from munet.analysis.paths import Layer, Paths
from munet.analysis.snapshot import Snapshot
from munet.model.slots import slot_order
from munet.report.page.texts import ident
from munet.report.page.values import column

NOT_KNOWN = -1
ROOT = -1  # who trained a layer: the root
STRANGER = -2  # a task that is not in the system (any more)

Slots = Mapping[str, str]


class Network:
    """Numbers for what the history of one system names by ids."""

    def __init__(self, one: Snapshot, paths: Paths, names: list[str]) -> None:
        from munet.analysis import History

        self.one, self._found = one, paths
        self._task = {name: number for number, name in enumerate(names)}
        self._grown = growth(History({one.label: one}))
        self._step_slots: dict[int, Slots | None] = {}
        parents = {step for step in one.parent_steps if step is not None}
        root = paths.of_model(one.root) or {}
        of_steps = {step: paths.of_step(step) for step in sorted(parents)}
        self.slots = self._all_slots(root, of_steps)
        self._slot = {slot: number for number, slot in enumerate(self.slots)}
        self._layers: dict[str, int] = {}
        self._kept: list[Layer] = []
        self.paths: list[list[int]] = []
        self._full: list[dict[int, int]] = []
        self._path: dict[tuple[tuple[int, int], ...], int] = {}
        self._of_step: dict[int, int] = {}
        self._number(root, None)
        for step, slots in of_steps.items():
            self._number_step(step, slots)
        self.moments = self._moments()
        self.retained = [self._retained(name) for name in names]

    def task(self, name: str | None) -> int:
        """Number of a task, ROOT for the root, STRANGER for one that is not here."""
        return ROOT if name in (None, "root") else self._task.get(name or "", STRANGER)

    def path_of_step(self, step: int) -> int:
        return self._of_step.get(step, NOT_KNOWN)

    def slot(self, name: str) -> int | None:
        return self._slot.get(name)

    def notes(self) -> tuple[str, ...]:
        return self._grown.notes

    def retained_layers(self) -> list[Slots | None]:
        """Slot -> layer of each task's model, in the order of the tasks."""
        return [self.one.retained[name].layers if name in self.one.retained else None for name in self._task]

    def makers(self) -> dict[str, list[int]]:
        """Id of each layer -> the tasks that trained it; none for the root's."""
        return {layer.id: self._makers(layer) for layer in self._kept}

    def layer_columns(self) -> dict[str, list[Any]]:
        stored = self.one.stored_layers
        return {
            "slot": [self._slot[layer.slot] for layer in self._kept],
            "parameters": column(layer.parameters for layer in self._kept),
            "by": [self.task(layer.trained_by) for layer in self._kept],
            "together": [self._together(layer) for layer in self._kept],
            # Only what is stored can be asked for by its id.
            "id": [(ident(layer.id) or "") if layer.id in stored else "" for layer in self._kept],
        }

    def _together(self, layer: Layer) -> list[int]:
        found = sorted(task for task in map(self.task, layer.together) if task >= 0)
        return found if len(found) > 1 else []

    def _makers(self, layer: Layer) -> list[int]:
        by = self.task(layer.trained_by)
        return self._together(layer) or ([by] if by >= 0 else [])

    def _all_slots(self, root: Slots, of_steps: Mapping[int, Slots | None]) -> list[str]:
        found = dict.fromkeys(root)
        for slots in (*of_steps.values(), *(m.path for m in self._grown.moments), *self.retained_layers()):
            found.update(dict.fromkeys(slots or ()))
        for cloned in self.one.sampled.columns["cloned"]:
            found.update(dict.fromkeys(cloned or ()))
        return sorted(found, key=slot_order)

    def _moments(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {"step": [], "task": [], "path": [], "sampled": []}
        for moment in self._grown.moments:
            task = self.task(moment.task)
            if moment.path is None or task < 0:
                continue  # the page goes on showing the path before
            path = NOT_KNOWN if not moment.path else self._path_of(moment)
            sampled = NOT_KNOWN if moment.sampled is None else moment.sampled
            for key, value in zip(found, (moment.step, task, path, sampled), strict=True):
                found[key].append(value)
        return found

    def _path_of(self, moment: Moment) -> int:
        if moment.sampled is None:
            return self._number(moment.path or {}, None)
        return self._number_step(moment.sampled, moment.path)

    def _number_step(self, step: int, slots: Slots | None) -> int:
        if step not in self._of_step and slots is not None:
            parent = self.one.parent_steps[step]
            self._of_step[step] = self._number(slots, None if parent is None else self._of_step.get(parent))
        return self.path_of_step(step)

    def _retained(self, name: str) -> int:
        model = self.one.retained.get(name)
        slots = self._found.of_model(model.id) if model else None
        if not model or not slots:
            return NOT_KNOWN
        step = self.one.step_of.get(model.id)
        return self._number(slots, None) if step is None else self._number_step(step, slots)

    def _number(self, slots: Slots, base: int | None) -> int:
        """The number of a path, which is written down when it is new."""
        full = {self._slot[slot]: self._layer(id) for slot, id in slots.items()}
        key = tuple(sorted(full.items()))
        if key not in self._path:
            if not self.paths:
                base, before = NOT_KNOWN, {}
            else:
                base = base or 0
                before = self._full[base]
            changes = [(slot, layer) for slot, layer in full.items() if before.get(slot) != layer]
            changes += [(slot, NOT_KNOWN) for slot in before if slot not in full]
            self._path[key] = len(self.paths)
            self.paths.append([base, *(number for pair in sorted(changes) for number in pair)])
            self._full.append(full)
        return self._path[key]

    def _layer(self, id: str) -> int:
        if id not in self._layers:
            self._layers[id] = len(self._kept)
            self._kept.append(self._found.layers.get(id) or self._grown.layers[id])
        return self._layers[id]
