"""How many samples a task has in one task iteration (ours, docs/method.md): an equal share, by need, or what a trunk
spent on it."""

from collections.abc import Callable, Mapping

from munet.evolution.runs import Run, read_generation
from munet.search import Method
from munet.search.adaptive import Evidence, shares_by_need
from munet.store import Store
from munet.store.schema import ChildRecord


def first_child(store: Store, run: Run, task: str, iteration: int) -> ChildRecord | None:
    """The record of the first child of a task iteration, if it has finished."""
    children = read_generation(store, run, task, iteration, 0)
    return next((child for child in children if child["child"] == 0), None)


def method_for(run: Run, store: Store, task: str, iteration: int, errors: Mapping[str, float]) -> Method:
    """The method with the samples of one task. `errors` are those of the probes of all tasks that share by need."""
    method = run.method
    first = first_child(store, run, task, iteration)
    if first and first.get("together"):  # a child of its own, after the path, gets what the path got
        return _with(method, first["samples"])
    if task not in errors:
        return method
    share = dict(zip(errors, shares_by_need(method, list(errors.values())), strict=True))[task]
    return _with(method, share * len(errors) * method.cycles * method.samples_per_cycle)


def _with(method: Method, samples: float) -> Method:
    return method.model_copy(update={"samples_per_cycle": max(round(samples / method.cycles), 1)})


def errors_of_new(store: Store, run: Run, iteration: int, probe: Callable[[str], Evidence]) -> dict[str, float]:
    """Errors of the root's probes of the public tasks that were new when this iteration began.

    What an interrupted run has finished of them is known by its records.
    """
    errors = {}
    for name in run.tasks:
        record, first = store.read_task(name), first_child(store, run, name, iteration)
        if record["private"]:
            continue
        evidence = first.get("evidence") if first else None
        if evidence:
            errors[name] = Evidence.from_json(evidence).root.error
        elif is_untrained(store, first["parent"] if first else record["model"]):
            errors[name] = probe(name).root.error
    return errors


def is_untrained(store: Store, model: str | None) -> bool:
    """Whether a model is none at all, or the root with a head of its own."""
    if model is None:
        return True
    root = set(store.get_model(store.root)["layers"].values())
    return all(slot == "head" or layer in root for slot, layer in store.get_model(model)["layers"].items())
