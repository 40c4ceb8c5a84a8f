"""How many samples each new task has in one task iteration (ours, docs/method.md): equally many, or by need."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from munet.evolution.runs import Run, read_generation
from munet.search import Method
from munet.search.adaptive import Evidence, is_worth_training, shares_by_need
from munet.store import Store
from munet.store.schema import ChildRecord


def first_child(store: Store, run: Run, task: str, iteration: int) -> ChildRecord | None:
    """The record of the first child of a task iteration, if it has finished."""
    children = read_generation(store, run, task, iteration, 0)
    return next((child for child in children if child["child"] == 0), None)


def head_evidence(store: Store, run: Run, task: str) -> dict[str, Evidence]:
    """What the probe of a task said before this run made its head; empty where it has not."""
    head = first_child(store, run, task, 0)
    found = head.get("evidence") if head else None
    return {task: Evidence.from_json(found)} if found else {}


def new_tasks(store: Store, run: Run, iteration: int, probe: Callable[[str], Evidence]) -> dict[str, Evidence]:
    """What the root's probe says of the public tasks that were new when this iteration began.

    What an interrupted run has finished of them is known by its records.
    """
    found = {}
    for name in run.tasks:
        record, first = store.read_task(name), first_child(store, run, name, iteration)
        if record["private"]:
            continue
        known = first.get("evidence") if first else None
        if known or is_untrained(store, first["parent"] if first else record["model"]):
            evidence = Evidence.from_json(known) if known else probe(name)
            found[name] = replace(evidence, probes=evidence.probes[:1])
    return found


def samples_by_task(
    method: Method, new: Mapping[str, Evidence], root_parameters: int, others: int = 0
) -> dict[str, int]:
    """Samples of those new tasks for which training is expected to win. `others`: new ones that are not probed yet."""
    each = method.cycles * method.samples_per_cycle
    trained = {name: one for name, one in new.items() if is_worth_training(method, one, each, root_parameters)}
    if method.shares == "equal" or len(new) + others < 2:
        return dict.fromkeys(trained, each)
    shares = shares_by_need(method, [one.root.error for one in trained.values()], len(new))
    return {name: round(share * each) for name, share in zip(trained, shares, strict=True)}


def expected_samples(
    method: Method, found: Mapping[str, Evidence], names: Collection[str], root_parameters: int
) -> dict[str, int]:
    """What `samples_by_task` is going to say of the tasks that are new, by their `names`, while only some are probed.

    One that is not counts with an equal share where a hard one takes what easy ones leave, else with three quarters:
    easy ones take a half, and others a whole.
    """
    each, others = method.cycles * method.samples_per_cycle, len(names) - len(found)
    known = samples_by_task(method, found, root_parameters, others)
    unknown = each if sum(known.values()) >= len(found) * each else 3 * each // 4
    return {name: known.get(name, 0) if name in found else unknown for name in names}


def method_for(run: Run, store: Store, task: str, iteration: int, samples: Mapping[str, int]) -> Method:
    """The method with the samples of one task: its share, or, after a path through a trunk, what that had."""
    first = first_child(store, run, task, iteration)
    mine = first["samples"] if first and first.get("together") else samples.get(task)
    if mine is None:
        return run.method
    return run.method.model_copy(update={"samples_per_cycle": max(round(mine / run.method.cycles), 1)})


def is_new(store: Store, task: str) -> bool:
    """Whether a task divides the samples of a run with others once all heads are made: public, and not yet trained."""
    record = store.read_task(task)
    return not record["private"] and is_untrained(store, record["model"])


def is_untrained(store: Store, model: str | None) -> bool:
    """Whether a model is none at all, or the root with a head of its own."""
    if model is None:
        return True
    root = set(store.get_model(store.root)["layers"].values())
    return all(slot == "head" or layer in root for slot, layer in store.get_model(model)["layers"].items())
