"""What follows from the refs: owners, totals, lineage. Always derived, never stored."""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from munet.store.store import Store

Manifest = dict[str, Any]


def resolve(store: "Store", word: str) -> str:
    """Model id behind a task's name (its retained model), `root`, or the beginning of an id."""
    if store.has_task(word):
        model = store.read_task(word)["model"]
        if model is None:
            raise InputError(f"task '{word}' has no model yet: run `munet evolve {store.path} {word}`")
        return model
    if word == "root":
        return store.root
    if len(word) < 4 or any(letter not in "0123456789abcdef" for letter in word):
        names = store.tasks()
        known = [*names, "root"]
        raise InputError(f"no task or model '{word}' in {store.path}{suggest(word, known)}; tasks: {', '.join(names)}")
    return store.resolve_model(word)


def lineage(store: "Store", model: str) -> list[tuple[str, Manifest]]:
    """(id, manifest) of a model and its ancestors, the root last. History is kept when weights are collected."""
    chain = []
    current: str | None = model
    while current is not None and store.has_model(current):
        manifest = store.get_model(current)
        chain.append((current, manifest))
        current = manifest["parent"]
    return chain


def living_lineage(store: "Store", model: str, alive: Container[str]) -> list[tuple[str, Manifest]]:
    """(id, manifest) of a model and those of its ancestors that are in `alive`, the root last.

    Only their manifests are read: who descends from whom is read once in a process.
    """
    chain = []
    current: str | None = model
    while current is not None and store.has_model(current):
        if current in alive:
            chain.append((current, store.get_model(current)))
        current = store.facts.parent(current)
    return chain


def retained(store: "Store") -> dict[str, Manifest]:
    """Task name -> manifest of its retained model, for the tasks that have one."""
    return {record["name"]: store.get_model(record["model"]) for record in store.task_records() if record["model"]}


def owners(manifests: Mapping[str, Manifest], without: str | None = None) -> dict[str, set[str]]:
    """Layer id -> names of the tasks whose retained model uses it. Always derived, never stored.

    `without` is the active task: while it evolves it owns nothing (muNet, sec. 3).
    """
    result: dict[str, set[str]] = {}
    for task, manifest in manifests.items():
        if task != without:
            for layer in manifest["layers"].values():
                result.setdefault(layer, set()).add(task)
    return result


def owners_of(store: "Store", models: Mapping[str, str]) -> dict[str, set[str]]:
    """Layer id -> names of the tasks whose model uses it, as `owners`, from task name -> model id.

    A model's layers are read once in a process, so the second call costs next to nothing.
    """
    result: dict[str, set[str]] = {}
    for task, model in models.items():
        for layer in store.facts.parts(model).layers:
            result.setdefault(layer, set()).add(task)
    return result


def totals(manifests: Mapping[str, Manifest], tests: Mapping[str, float]) -> dict[str, Any]:
    """What a system comes to: means over its tasks' models, and the size of all of them together.

    `manifests` of the retained models and `tests`, their test accuracies, by task. A mean over nothing is None.
    """
    metrics = [manifest["metrics"] for manifest in manifests.values()]
    unique = unique_parameters(manifests)
    return {
        "mean_validation_accuracy": _mean([m["validation_accuracy"] for m in metrics]),
        "mean_test_accuracy": _mean(list(tests.values())),
        "unique_parameters": unique,
        "parameters_per_task": unique / len(manifests) if manifests else None,
        "flops_per_task": _mean([m["flops"] for m in metrics]),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def unique_parameters(manifests: Mapping[str, Manifest]) -> int:
    """Parameters that the retained models use, each layer counted once."""
    sizes = {m["layers"][slot]: size for m in manifests.values() for slot, size in m["sizes"].items()}
    return sum(sizes.values())
