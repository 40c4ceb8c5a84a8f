"""One child from its plan to its record: build, train, judge, and store it if it is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from .active import ActiveTask, Key
from .children import Child, Manifest
from .data import Splits
from .network import Network
from .runs import Run, now
from .search import Plan
from .store import FORMAT
from .training import Outcome, Preprocessing, Recipe, train

Record = dict[str, Any]


@dataclass(frozen=True)
class Raised:
    """A child that has been trained and judged. `facts` say what it scores and whether it is to be kept."""

    plan: Plan
    parent: str
    key: Key
    child: Child
    outcome: Outcome
    facts: Record
    started: str
    elapsed: float  # seconds since its parent was drawn


def raise_child(
    active: ActiveTask, splits: Splits, parent: str, plan: Plan, key: Key, on_cycle: Callable[[int, float], None]
) -> Raised:
    """Build, train and judge one child. Writes nothing."""
    clock, started = perf_counter(), now()
    child = active.nursery.build(plan, active.living_lineage(parent), key)
    outcome = _train(active, splits, child, plan, key, on_cycle)
    accuracy = None if outcome.rejected else outcome.accuracies[outcome.best_cycle]
    facts = active.judge(child, plan, parent, accuracy)
    facts["reason"] = outcome.rejected or facts["reason"]
    return Raised(plan, parent, key, child, outcome, facts, started, perf_counter() - clock)


def _train(
    active: ActiveTask,
    splits: Splits,
    child: Child,
    plan: Plan,
    key: Key,
    on_cycle: Callable[[int, float], None],
) -> Outcome:
    run, method, size = active.run, active.method, plan.image_size
    network = Network(active.system.architecture, child.layers, size, child.trainable).to(run.device)
    return train(
        network,
        recipe(active, plan.hyperparameters),
        splits.get(active.record, "train", size),
        splits.get(active.record, "validation", size, method.validation_cap),
        momentum=child.momentum,
        key=key,
        device=run.device,
        on_cycle=on_cycle,
    )


def recipe(active: ActiveTask, settings: Mapping[str, Any]) -> Recipe:
    """How a child is trained: hyperparameters of its own, the budget of the method."""
    method, architecture = active.method, active.system.architecture
    return Recipe(
        learning_rate=settings["learning_rate"],
        schedule=settings["schedule"],
        warmup_ratio=settings["warmup_ratio"],
        warmup_start=method.warmup_start,
        momentum=settings["momentum"],
        nesterov=settings["nesterov"],
        clip_norm=method.clip_norm,
        cycles=method.cycles,
        samples_per_cycle=method.samples_per_cycle,
        batch_size=method.batch_size,
        keep=method.keep_cycle,
        precision=active.run.precision,
        preprocessing=Preprocessing.from_hyperparameters(
            settings, variant=method.preprocessing, mean=architecture.mean, std=architecture.std
        ),
    )


def manifest_of(active: ActiveTask, raised: Raised) -> Manifest:
    """The child's manifest, but for the layers that it trained: those get their ids when they are stored."""
    plan, facts, outcome = raised.plan, raised.facts, raised.outcome
    metrics = {name: facts[name] for name in ("score", "accounted_parameters", "flops")}
    metrics |= {"validation_accuracy": facts["accuracy"], "validation_examples": active.validation_examples}
    metrics |= {"cycle": outcome.best_cycle, "accuracies": outcome.accuracies}
    return {
        "format": FORMAT,
        "task": active.name,
        "parent": raised.parent,
        "architecture": active.nursery.root["architecture"],
        "layers": dict(raised.child.shared),
        "sizes": raised.child.sizes,
        "momentum": {},
        "hyperparameters": plan.hyperparameters,
        "mutation_probabilities": plan.mutation_probabilities,
        "mutations": [mutation.to_json() for mutation in plan.mutations],
        "method": active.method.name,
        "generation": active.manifest(raised.parent)["generation"] + 1,
        "stream": list(raised.key),
        "precision": active.run.precision,
        "metrics": metrics,
    }


def keep(active: ActiveTask, manifest: Manifest, raised: Raised) -> str:
    """Store a child: the layers it trained, a frozen one that is new, its manifest; its momentum if a clone of it
    would carry that on. Returns its id."""
    system, child, outcome = active.system, raised.child, raised.outcome
    store, buffers = system.store, outcome.momentum if active.method.inherit_momentum else {}
    # position embeddings of a size that no model had yet are shared, and still have to be stored
    resized = {slot: child.layers[slot] for slot, layer in child.shared.items() if not store.has_layer(layer)}
    trained, momentum, _ = store.put_layers([outcome.layers, buffers, resized])
    for ids, layers in ((trained, outcome.layers), (momentum, buffers)):
        for slot, layer in ids.items():
            system.remember(layer, layers[slot])
    return store.put_model(manifest | {"layers": child.shared | trained, "momentum": momentum})


def record_of(number: int, active: ActiveTask, raised: Raised, run: Run) -> Record:
    """What the run remembers of a child, kept or not; its model's id and its end are still to come."""
    outcome, seconds = (
        raised.outcome,
        {"train": raised.outcome.train_seconds, "validation": raised.outcome.validation_seconds},
    )
    return {
        "child": number,
        "parent": raised.parent,
        "parent_task": active.manifest(raised.parent)["task"],
        "model": None,
        **raised.facts,
        "mutations": [mutation.to_json() for mutation in raised.plan.mutations],
        "hyperparameters": raised.plan.hyperparameters,
        "cloned": sorted(raised.child.trainable),
        "cycle": outcome.best_cycle,
        "accuracies": outcome.accuracies,
        "samples": outcome.samples,
        "stream": list(raised.key),
        "device": run.device,
        "seconds": seconds | {"other": raised.elapsed - sum(seconds.values())},
        "started": raised.started,
    }
