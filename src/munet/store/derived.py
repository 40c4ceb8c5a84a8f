"""What follows from the refs: owners, totals, lineage. Always derived, never stored."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from munet.errors import InputError, suggest
from munet.store.schema import Manifest, Totals

if TYPE_CHECKING:
    from munet.store.store import Store


def resolve(store: "Store", word: str) -> str:
    """Model id behind a task's name (its retained model), `root`, or the beginning of an id."""
    if store.has_task(word):
        model = store.read_task(word)["model"]
        if model is None:
            raise InputError(f"task '{word}' has no model yet: run `munet evolve {store.path} {word}`", kind="no-model")
        return model
    if word == "root":
        return store.root
    if len(word) < 4 or any(letter not in "0123456789abcdef" for letter in word):
        names = store.tasks()
        known = [*names, "root"]
        raise InputError(
            f"no task or model '{word}' in {store.path}{suggest(word, known)}; tasks: {', '.join(names)}",
            kind="unknown-model",
        )
    return resolve_model(store, word)


def resolve_model(store: "Store", prefix: str) -> str:
    """The one model id that starts with at least 4 given digits. Raises InputError when it is none or several."""
    wanted = prefix.lower()
    if not re.fullmatch(r"[0-9a-f]{4,64}", wanted):
        raise InputError(
            f"{prefix!r} is no model id: give 4 or more of its hexadecimal digits; "
            f"`munet log {quote(str(store.path))} TASK` lists ids",
            kind="unknown-model",
        )
    found = store.models.starting_with(wanted)
    if not found:
        raise InputError(
            f"no model id in {store.path} starts with {prefix!r}: `munet log {quote(str(store.path))} TASK` lists them",
            kind="unknown-model",
        )
    if len(found) > 1:
        names = ", ".join(id[: len(wanted) + 6] + "…" for id in found[:4])
        raise InputError(f"{prefix!r} is the start of {len(found)} model ids ({names}): give more digits")
    return found[0]


def lineage(store: "Store", model: str) -> list[tuple[str, Manifest]]:
    """(id, manifest) of a model and its ancestors, the root last. History is kept when weights are collected.

    It stops at an ancestor that is missing; DamagedError where the model itself is.
    """
    chain = [(model, store.local_model(model))]
    current = chain[0][1]["parent"]
    while current is not None and store.has_model(current):
        manifest = store.local_model(current)
        chain.append((current, manifest))
        current = manifest["parent"]
    if current is not None:
        store.get_model(model)  # let go just now, with its ancestors: the line is not cut, it is not to be had
    return chain


def living_lineage(store: "Store", model: str, alive: Container[str]) -> list[tuple[str, Manifest]]:
    """(id, manifest) of a model and those of its ancestors that are in `alive`, the root last.

    Only their manifests are read: who descends from whom is read once in a process.
    """
    chain = []
    seen: set[str] = set()
    current: str | None = model
    while current is not None and store.has_model(current):
        if current in seen:  # no manifests can do that, for an id is a hash of what names the parent
            raise store.facts.damaged("leads in a circle; remove it")
        seen.add(current)
        if current in alive:
            chain.append((current, store.local_model(current)))
        current = store.facts.parent(current)
    return chain


def retained(store: "Store") -> dict[str, Manifest]:
    """Task name -> manifest of its retained model, for the tasks that have one."""
    return {record["name"]: store.get_model(model) for record in store.task_records() if (model := record["model"])}


def owners(paths: Mapping[str, Mapping[str, str]], without: str | None = None) -> dict[str, set[str]]:
    """Layer id -> names of the tasks whose retained model uses it. Always derived, never stored.

    `paths`: task -> slot -> layer id. `without` is the active task: while it evolves it owns nothing (muNet, sec. 3).
    """
    result: dict[str, set[str]] = {}
    for task, path in paths.items():
        if task != without:
            for layer in path.values():
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


class Weight(NamedTuple):
    """What a retained model adds to the totals of its system."""

    layers: Mapping[str, str]  # slot -> layer id
    sizes: Mapping[str, int]  # slot -> parameters
    validation_accuracy: float | None
    flops: float | None


def totals(manifests: Mapping[str, Manifest], tests: Mapping[str, float]) -> Totals:
    """What a system comes to: `manifests` of the retained models and `tests`, their test accuracies, by task."""
    measured = [(manifest, manifest["metrics"]) for manifest in manifests.values()]
    weights = [Weight(m["layers"], m["sizes"], of["validation_accuracy"], of["flops"]) for m, of in measured]
    return totals_of(weights, tests.values())


def totals_of(weights: Sequence[Weight], tests: Iterable[float]) -> Totals:
    """Means over the tasks' models, and the size of all of them together. A mean over nothing is None."""
    unique = sum({model.layers[slot]: size for model in weights for slot, size in model.sizes.items()}.values())
    return {
        "mean_validation_accuracy": mean_of_known([model.validation_accuracy for model in weights]),
        "mean_test_accuracy": mean_of_known(list(tests)),
        "unique_parameters": unique,
        "parameters_per_task": unique / len(weights) if weights else None,
        "flops_per_task": mean_of_known([model.flops for model in weights]),
    }


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Mean of those values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
