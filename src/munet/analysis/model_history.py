"""The history of a model: its lineage, its layers and who shares them, every child ever sampled. Needs no torch."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from munet.analysis.authors import authors, signers_of
from munet.analysis.present_names import PresentNames
from munet.model.slots import blocks_in, slot_order
from munet.store.called import names_of
from munet.store.claimed import claimed_in
from munet.store.derived import lineage, owners
from munet.store.run_records import generations, read_generation, read_iteration
from munet.store.run_records import iterations as files_of_iterations
from munet.store.schema import ChildRecord, IterationRecord, Manifest

if TYPE_CHECKING:
    from munet.store import Store


ALONE = ("head", "posembed")  # never trained together; positions may be the root's, cut for another image size


def log(store: "Store", model: str) -> list[dict[str, Any]]:
    """The lineage as entries, newest first, each with the hyperparameters it changed from its parent's."""
    chain = lineage(store, model)
    people = authors(store, chain)
    claims = claimed_in(chain, {record["name"]: record for record in store.task_records()})
    entries = []
    for index, (identity, manifest) in enumerate(chain):
        older = chain[index + 1][1]["hyperparameters"] if index + 1 < len(chain) else {}
        mine = manifest["hyperparameters"]
        changed = {key: [older[key], value] for key, value in mine.items() if key in older and older[key] != value}
        metrics = manifest["metrics"]
        entries.append(
            {
                "model": identity,
                "task": manifest["task"],
                "by": people[index],
                "signed_by": signers_of(store, identity, manifest),
                "generation": manifest["generation"],
                "method": manifest["method"],
                "mutations": manifest["mutations"],
                "hyperparameters": mine,
                "changed": changed,
                "validation_accuracy": metrics.get("validation_accuracy"),
                "claimed": claims[index],
                "score": metrics.get("score"),
                "alive": all(store.has_layer(layer) for layer in manifest["layers"].values()),
                "layers": manifest["layers"],
            }
        )
    return entries


class Origin(NamedTuple):
    """Where the weights of a layer come from."""

    task: str  # that trained it, or `root`
    by: list[str]  # who evolved the model that it was trained in


def origins(store: "Store", model: str) -> dict[str, Origin]:
    """Slot -> who trained the model's layer there."""
    chain = lineage(store, model)
    people = authors(store, chain)
    return {
        slot: Origin(chain[place][1]["task"] or "root", people[place]) for slot, place in _trained_in(chain).items()
    }


def _trained_in(chain: Sequence[tuple[str, Manifest]]) -> dict[str, int]:
    """Slot of a lineage's newest model -> place of the one that its layer was trained in, the oldest that has it."""
    found, slots = dict[str, int](), chain[0][1]["layers"]
    for place, (_, manifest) in enumerate(chain):
        held = set(manifest["layers"].values())
        found |= {slot: place for slot, layer in slots.items() if layer in held}
    return found


def trunks(store: "Store", models: Iterable[str]) -> dict[str, list[str]]:
    """Id of each layer of these models that several tasks trained together -> these tasks, by name.

    Known from the manifests alone, as in a system that was cloned: none of the tasks has it from another's model.
    """
    makers: dict[str, set[str]] = {}
    for model in models:
        chain = lineage(store, model)
        for slot, place in _trained_in(chain).items():
            task = chain[place][1]["task"]
            if slot not in ALONE and task is not None:
                makers.setdefault(chain[0][1]["layers"][slot], set()).add(task)
    return {layer: sorted(tasks) for layer, tasks in makers.items() if len(tasks) > 1}


def show(store: "Store", model: str) -> dict[str, Any]:
    """Everything about one model: its layers with size, origin and sharers, its settings and its measures."""
    manifest = store.local_model(model)
    records = {record["name"]: record for record in store.task_records()}
    models = {task: one for task, record in records.items() if (one := record["model"]) is not None}
    owned = owners({task: store.get_model(other)["layers"] for task, other in models.items()})
    origin = origins(store, model)
    learned = [layer for slot, layer in manifest["layers"].items() if origin[slot].task != "root"]
    together = trunks(store, {model, *(models[task] for layer in learned for task in owned.get(layer, ()))})
    record = next((record for record in records.values() if record["model"] == model), None)
    layers = [
        {
            "slot": slot,
            "layer": layer,
            "parameters": manifest["sizes"][slot],
            "trained_by": origin[slot].task,
            "together": together.get(layer, []),
            "by": origin[slot].by,
            "shared_with": sorted(owned.get(layer, set()) - {manifest["task"]}),
        }
        for slot, layer in sorted(manifest["layers"].items(), key=lambda item: slot_order(item[0]))
    ]
    keys = ("task", "parent", "method", "generation", "architecture", "hyperparameters", "mutation_probabilities")
    return (
        {"model": model, "by": authors(store, [(model, manifest)])[0]}
        | {"signed_by": signers_of(store, model, manifest)}
        | {key: manifest[key] for key in keys}
        | {
            "num_blocks": blocks_in(manifest["layers"]),
            "image_size": manifest["hyperparameters"]["image_size"],
            "layers": layers,
            "mutations": manifest["mutations"],
            "metrics": manifest["metrics"],
            "claimed": claimed_in([(model, manifest)], records)[0],
            "stream": manifest["stream"],
            "test_accuracy": record["test"]["accuracy"] if record and record["test"] else None,
        }
    )


def diff(store: "Store", a: str, b: str) -> dict[str, Any]:
    """Which layers two models share and where they differ."""
    first, second = store.get_model(a), store.get_model(b)
    mine, theirs = first["layers"], second["layers"]
    both = sorted(set(mine) & set(theirs), key=slot_order)
    shared = [slot for slot in both if mine[slot] == theirs[slot]]
    settings = sorted(set(first["hyperparameters"]) | set(second["hyperparameters"]))
    pairs = {key: [first["hyperparameters"].get(key), second["hyperparameters"].get(key)] for key in settings}
    return {
        "a": a,
        "b": b,
        "shared": shared,
        "different": [{"slot": slot, "a": mine[slot], "b": theirs[slot]} for slot in both if slot not in shared],
        "only_a": sorted(set(mine) - set(theirs), key=slot_order),
        "only_b": sorted(set(theirs) - set(mine), key=slot_order),
        "hyperparameters": {key: pair for key, pair in pairs.items() if pair[0] != pair[1]},
        "shared_parameters": sum(first["sizes"][slot] for slot in shared),
        "parameters_a": sum(first["sizes"].values()),
        "parameters_b": sum(second["sizes"].values()),
    }


class Sampled(ChildRecord):
    """A child with the place where it was sampled."""

    run: str
    task: str
    iteration: int
    generation: int


class Ended(IterationRecord):
    """A task iteration that is over, with its run."""

    run: str


def children(store: "Store", task: str | None = None) -> Iterator[Sampled]:
    """Every child ever sampled, oldest run first, accepted or rejected; tasks by the names that they have now."""
    present = PresentNames(store)
    wanted = None if task is None else names_of(store.read_task(task)) if store.has_task(task) else {task}
    for run in store.runs():
        files = [file for file, place in generations(store, run) if wanted is None or place.task in wanted]
        records = [read_generation(store, run, file) for file in files]
        called = present.of(records)
        for record in records:
            now = called.get((record["task"], record["iteration"]), record["task"])
            if task not in (None, now):
                continue
            for child in record["children"]:
                yield {
                    "run": run,
                    "task": now,
                    "iteration": record["iteration"],
                    "generation": record["generation"],
                    **child,
                }


def iterations(store: "Store") -> list[Ended]:
    """Every task iteration that is over, in the order in which they ended: what was retained, what the system came to.

    Systems that grew before these records were written have none.
    """
    found, present = list[Ended](), PresentNames(store)
    for run in store.runs():
        called = present.of(read_generation(store, run, file) for file, _ in generations(store, run))
        files = files_of_iterations(store, run)
        ended: list[Ended] = [{"run": run, **read_iteration(store, run, file)} for file in files]
        for record in sorted(ended, key=lambda record: record["order"]):
            place = record["task"], record["iteration"]
            found.append({**record, "task": called.get(place, record["task"])})
    return found
