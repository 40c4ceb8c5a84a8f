"""Which layers a model was made of, also one whose manifest was collected: its parent's, but for what it trained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from munet.analysis.snapshot import Snapshot
from munet.analysis.timeline import Shape
from munet.errors import InputError
from munet.model.cost import slot_sizes
from munet.model.slots import body, parse, slot_order
from munet.model.vit import ViTArchitecture

Slots = Mapping[str, str]  # slot -> id of a layer


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer in the history. Where nobody stores it any more, `id` is `<model or step>:<slot>`."""

    id: str
    slot: str
    parameters: int | None
    trained_by: str  # a task or `root`; of those that trained it together the one whose child came first
    together: tuple[str, ...] = ()  # tasks that trained it, where these are several


class Paths:
    """The layers of every model of one system, as far as they are known. `layers` are all that were met so far."""

    def __init__(self, reading: Snapshot) -> None:
        self.reading = reading
        self.layers: dict[str, Layer] = {}
        self._columns = reading.sampled.columns
        self._imported = {run.name for run in reading.sampled.runs if run.imported}
        self._derived: dict[int, Slots | None] = {}
        self._met: set[str] = set()  # models
        self._retained_until = _retained_until(reading)
        self._classes = {record["name"]: len(record.get("classes") or ()) for record in reading.records}
        self._sizes: dict[tuple[Shape, int, int, int], Mapping[str, int]] = {}
        try:
            self._architecture = ViTArchitecture.from_json(reading.architecture)
        except (InputError, TypeError):  # models of another kind: what their new layers weigh is not known
            self._architecture = None

    def of_model(self, model: str) -> Slots | None:
        """Layers of a stored model; None where there is no manifest."""
        found = self.reading.models.get(model)
        if found is None:
            return None
        if model not in self._met:
            self._met.add(model)
            makers = self.reading.trained_by(model)
            for slot, layer in found.layers.items():
                together = self.reading.trunks.get(layer, ())
                self._meet(layer, slot, found.sizes.get(slot), makers[slot], together)
        return found.layers

    def of_step(self, step: int) -> Slots | None:
        """Layers of the model that was sampled at a step; None where its records do not tell."""
        line, current = list[int](), step
        while not self._known(current):
            line.append(current)
            parent = self.reading.parent_steps[current]
            if parent is None:
                break
            current = parent
        for current in reversed(line):
            self._derived[current] = self._derive(current)
        return self._at(step)

    def _known(self, step: int) -> bool:
        return step in self._derived or self._columns["model"][step] in self.reading.models

    def _at(self, step: int) -> Slots | None:
        model = self._columns["model"][step]
        if model in self.reading.models:
            return self.of_model(model)
        return self._derived[step] if step in self._derived else self.of_step(step)

    def _meet(self, id: str, slot: str, parameters: int | None, trained_by: str, together: tuple[str, ...] = ()) -> str:
        if id not in self.layers:
            self.layers[id] = Layer(id, slot, parameters, trained_by, together)
        return id

    def _derive(self, step: int) -> Slots | None:
        """As `children.Planner.describe` resolves a plan."""
        columns, shape = self._columns, self.reading.shapes[step]
        cloned = columns["cloned"][step]
        if cloned is None or shape is None or columns["run"][step] in self._imported:
            return None
        sizes = self._sizes_of(step, shape)
        found = {}
        for slot in self._slots(shape, cloned):
            if slot in cloned:
                name = columns["model"][step] or str(step)
                together = columns["together"][step] if slot != "head" else ()
                found[slot] = self._meet(f"{name}:{slot}", slot, sizes.get(slot), columns["task"][step], together)
                continue
            layer = next((path[slot] for path in self._fitting(step, slot)), None)
            if layer is None and slot == "posembed":  # cut from the root's own grid, and shared
                size = columns["image_size"][step]
                layer = self._meet(f"root:{slot}:{size}", slot, sizes.get(slot), "root")
            if layer is None:
                return None
            found[slot] = layer
        return found

    def _slots(self, shape: Shape, cloned: tuple[str, ...]) -> list[str]:
        root = self.reading.models.get(self.reading.root)
        whole = {slot for slot in (root.layers if root else ()) if parse(slot).number is None}
        return sorted({*whole, *body(shape.blocks, shape.adapters), *cloned}, key=slot_order)

    def _fitting(self, step: int, slot: str) -> Iterator[Slots]:
        """Paths of the living ancestors that hold a layer which fits the slot, the nearest first."""
        setting = {"posembed": "image_size", "adapter": "adapter_dim"}.get(parse(slot).kind, "")
        values = self._columns.get(f"hp.{setting}")  # of every child; None where that does not matter
        wanted = values[step] if values else None
        ancestor = self.reading.parent_steps[step]
        while ancestor is not None:
            path = self._at(ancestor) if self._lives(ancestor, step) else None
            if path and slot in path and (values is None or values[ancestor] == wanted):
                yield path
            ancestor = self.reading.parent_steps[ancestor]
        path, root = self.of_model(self.reading.root), self.reading.models.get(self.reading.root)
        if root and path and slot in path and (values is None or root.hyperparameters.get(setting) == wanted):
            yield path

    def _lives(self, ancestor: int, step: int) -> bool:
        """Whether a model could still be inherited from: it is in the population, or some task's retained model."""
        columns = self._columns
        if all(columns[name][ancestor] == columns[name][step] for name in ("run", "task", "iteration")):
            return True
        return step <= self._retained_until.get(ancestor, -1)

    def _sizes_of(self, step: int, shape: Shape) -> Mapping[str, int]:
        columns = self._columns
        if self._architecture is None or columns["image_size"][step] is None:
            return {}
        dim = columns["hp.adapter_dim"][step] if "hp.adapter_dim" in columns else None
        key = (shape, columns["image_size"][step], self._classes.get(columns["task"][step], 0), dim or 0)
        if key not in self._sizes:
            adapters = dict.fromkeys(shape.adapters, key[3])
            self._sizes[key] = slot_sizes(self._architecture, shape.blocks, key[1], key[2], adapters)
        return self._sizes[key]


def _retained_until(reading: Snapshot) -> dict[int, int]:
    """Step of each model that was ever retained -> the last step at which it was."""
    retained, last = reading.marks[1], len(reading.sampled) - 1
    found: dict[int, int] = {}
    now: dict[str, int] = {}  # task -> step of its retained model
    for (_, task, _), steps in reading.sampled.steps.items():
        for step in steps:
            if retained[step]:
                if task in now:
                    found[now[task]] = steps[-1]
                now[task] = step
    return found | dict.fromkeys(now.values(), last)
