"""One child from its plan to its record: its job, its score, its manifest, its record."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from munet.evolution.active_task import ActiveTask
from munet.evolution.computed import (
    computed_child,
    evidence_of,
    head_fit,
    is_untrained,
    last_head_fit,
    refitted_child,
)
from munet.evolution.inheritance import ChildSpec
from munet.evolution.jobs import Job, Result
from munet.evolution.probe import Prober
from munet.model.cost import training_flops
from munet.model.validation import check_stored
from munet.rng import Key
from munet.search import Plan
from munet.search.adaptive import Evidence
from munet.store.schema import ChildRecord, Manifest, Metrics, Verdict, child_record, manifest
from munet.training import Preprocessing, Recipe


@dataclass(frozen=True)
class SampledChild:
    """A child that was sampled for a generation."""

    number: int
    parent: str
    plan: Plan
    key: Key
    child: ChildSpec
    evidence: Evidence | None = None  # from which it was computed


def sample_generation(active: ActiveTask, generation: int, prober: Prober | None = None) -> list[SampledChild]:
    """All children of a generation, before any of them is trained.

    Where a `prober` is given, the first child that is trained for a task is computed from evidence, not drawn.
    """
    evidence = None
    if active.untrained and active.has_learned:
        pairs = [refitted_child(active)]
    elif prober and (active.untrained or not active.has_learned):
        evidence = evidence_of(active, prober)
        pairs = [computed_child(active, evidence)]
    else:
        pairs = active.sample_generation(generation)
    drawn = []
    for number, (parent, plan) in enumerate(pairs):
        child = active.inheritance.resolve(plan, active.living_lineage(parent))
        drawn.append(SampledChild(number, parent, plan, active.key(generation, number), child, evidence))
    return drawn


def job_of(active: ActiveTask, sampled: SampledChild) -> Job:
    """The work that a child takes."""
    return Job(
        number=sampled.number,
        key=sampled.key,
        child=sampled.child,
        recipe=recipe(active, sampled.plan.hyperparameters),
        image_size=sampled.plan.image_size,
        keep_momentum=active.method.inherit_momentum,
        head=head_fit(active, sampled.plan) if sampled.child.origins["head"].kind == "closed-form" else None,
        untrained=is_untrained(sampled.plan),
        last_head=last_head_fit(active, sampled.plan),
    )


def cost_of(active: ActiveTask, sampled: SampledChild) -> tuple[float, float]:
    """What one image costs in training and what it costs in validation, in forward passes of the root."""
    stages, root = active.stages(sampled.plan), active.root_flops
    return training_flops(stages, sampled.child.trainable) / root, sum(stages.values()) / root


def recipe(active: ActiveTask, settings: Mapping[str, Any]) -> Recipe:
    """How a child is trained: hyperparameters of its own, the budget of the method."""
    method, architecture = active.method, active.models.architecture
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
        at_most_epoch=method.at_most_epoch,
        keep=method.keep_cycle,
        step=method.step,
        optimiser=settings.get("optimiser", "sgd"),
        weight_decay=float(settings.get("weight_decay", 0.0)),
        layer_decay=float(settings.get("layer_decay", 1.0)),
        head_rate=float(settings.get("head_rate", 1.0)),
        margin=float(settings.get("margin", 0.0)),
        precision=active.run.request.precision,
        preprocessing=Preprocessing.from_hyperparameters(
            settings, variant=method.preprocessing, mean=architecture.mean, std=architecture.std
        ),
    )


def judge(active: ActiveTask, sampled: SampledChild, result: Result, together: Collection[str] = ()) -> Verdict:
    """What a trained child scores and whether it is accepted."""
    outcome = result.outcome
    accuracy = None if outcome.rejected else max(outcome.accuracies[outcome.best_cycle], result.new_head or 0.0)
    found = active.judge(sampled.child, sampled.plan, sampled.parent, accuracy, together)
    return {**found, "reason": outcome.rejected or found["reason"]}


def manifest_of(active: ActiveTask, sampled: SampledChild, result: Result, verdict: Verdict) -> Manifest:
    """The child's manifest, but for the layers that it trained: those get their ids when they are stored."""
    plan, outcome = sampled.plan, result.outcome
    metrics: Metrics = {
        "validation_accuracy": verdict["accuracy"],
        "validation_examples": active.validation_examples,
        "cycle": outcome.best_cycle,
        "accuracies": outcome.accuracies,
        "score": verdict["score"],
        "accounted_parameters": verdict["accounted_parameters"],
        "flops": sum(active.stages(plan).values()),
    }
    return manifest(
        task=active.name,
        parent=sampled.parent,
        architecture=active.inheritance.root["architecture"],
        layers=sampled.child.shared,
        sizes=sampled.child.sizes,
        hyperparameters=plan.hyperparameters,
        mutation_probabilities=plan.mutation_probabilities,
        mutations=[mutation.to_json() for mutation in plan.mutations],
        method=active.method.name,
        generation=active.manifest(sampled.parent)["generation"] + 1,
        stream=sampled.key,
        precision=active.run.request.precision,
        metrics=metrics,
    )


def keep(active: ActiveTask, sampled: SampledChild, result: Result, draft: Manifest) -> str:
    """Store a child: the layers it trained, a frozen one that is new, its manifest; its momentum if a clone of it
    would carry that on. Returns its id."""
    store, shared = active.models.store, sampled.child.shared
    # position embeddings of a size that no model had yet are shared, and still have to be stored
    if "posembed" in shared and not store.has_layer(shared["posembed"]):
        store.put_layer(active.inheritance.resized(sampled.plan.image_size)[0])
    trained, momentum = store.put_layer_files([result.layers, result.momentum])
    return store.put_model({**draft, "layers": shared | trained, "momentum": momentum}, check_stored)


def record_of(active: ActiveTask, sampled: SampledChild, result: Result, verdict: Verdict) -> ChildRecord:
    """The record of a child in its run, accepted or rejected; its model's id and its end are still to come."""
    outcome, stages = result.outcome, active.stages(sampled.plan)
    computed = outcome.train_seconds + outcome.validation_seconds
    record = child_record(
        sampled.number,
        verdict,
        parent=sampled.parent,
        parent_task=active.manifest(sampled.parent)["task"],
        mutations=[mutation.to_json() for mutation in sampled.plan.mutations],
        hyperparameters=sampled.plan.hyperparameters,
        cloned=sorted(sampled.child.trainable),
        cycle=outcome.best_cycle,
        accuracies=outcome.accuracies,
        samples=outcome.samples,
        flops_spent={
            "train": outcome.samples * training_flops(stages, sampled.child.trainable) + _read(active, sampled, stages),
            "validation": len(outcome.accuracies) * active.validation_examples * sum(stages.values()),
        },
        stream=sampled.key,
        device=active.run.device,
        seconds={
            "train": outcome.train_seconds,
            "validation": outcome.validation_seconds,
            "other": result.seconds - computed,
        },
        started=result.started,
    )
    if sampled.evidence:
        record["evidence"] = sampled.evidence.to_json()
    if result.new_head is not None:
        record["new_head"] = result.new_head
    return record


def _read(active: ActiveTask, sampled: SampledChild, stages: Mapping[str, int]) -> int:
    """FLOPs of the forward passes that the evidence and a head in closed form took."""
    images, there = sampled.evidence.read if sampled.evidence else 0, active.record["splits"]["train"]["examples"]
    first = head_fit(active, sampled.plan) if sampled.child.origins["head"].kind == "closed-form" else None
    for fit in (first, last_head_fit(active, sampled.plan)):
        images += fit.views * min(fit.examples, there) if fit else 0
    return images * sum(cost for stage, cost in stages.items() if stage != "head")
