"""A trunk trained together: one child of the root for several new tasks, stored once; each task has a path and a head.

Tasks share the samples of all of them, by need where the method says so (ours, docs/method.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from munet.evolution.active_task import ActiveTask
from munet.evolution.child import SampledChild, job_of
from munet.evolution.computed import evidence_of
from munet.evolution.jobs import TrunkGroup
from munet.evolution.probe import Prober
from munet.evolution.runs import Run, read_generation
from munet.evolution.shares import is_untrained
from munet.rng import Key
from munet.search.adaptive import Evidence, plan_trunk, shares_by_need
from munet.store import Store
from munet.store.schema import ChildRecord


@dataclass(frozen=True)
class TrunkMember:
    """One task of a trunk, and its path as a child of the task."""

    active: ActiveTask
    sampled: SampledChild
    share: float  # of the samples; all of them add up to 1


def trunk_tasks(store: Store, run: Run, iteration: int) -> list[str]:
    """The public tasks of a run that are new, in its order; none where a trunk was trained for them already.

    Once any of them has its path, an interrupted run knows the others by its record.
    """
    names = []
    for name in run.tasks:
        record = store.read_task(name)
        children = read_generation(store, run, name, iteration, 0)
        if children and (together := children[0].get("together")):
            names = together
            done = [bool(read_generation(store, run, other, iteration, 0)) for other in names]
            return [] if all(done) else list(names)
        if not record["private"] and not children and not run.has_finished(record, iteration):
            names.append(name)
    return [name for name in names if is_untrained(store, store.read_task(name)["model"])]


def plan_members(actives: Sequence[ActiveTask], prober: Prober) -> list[TrunkMember]:
    """What each task's path will be, and its share of the samples."""
    evidence = [evidence_of(active, prober) for active in actives]
    method = actives[0].method
    errors = [one.root.error for one in evidence]
    hardest = max(errors)
    shares = shares_by_need(method, errors) if method.shares == "by-need" else [1 / len(actives)] * len(actives)
    total = method.cycles * method.samples_per_cycle * len(actives)
    return [
        TrunkMember(active, _sampled(active, one, share * total, hardest), share)
        for active, one, share in zip(actives, evidence, shares, strict=True)
    ]


def _sampled(active: ActiveTask, evidence: Evidence, samples: float, hardest: float) -> SampledChild:
    root, size = active.models.root, active.run.request.image_size
    parameters = sum(active.inheritance.root["sizes"].values())
    plan = plan_trunk(active.method, active.as_parent(root), evidence, int(samples), parameters, size, hardest)
    child = active.inheritance.resolve(plan, active.living_lineage(root))
    return SampledChild(0, root, plan, active.key(0, 0), child, evidence)


def trunk_group(members: Sequence[TrunkMember]) -> TrunkGroup:
    """The work of training it. Jobs are numbered as the members are."""
    first = members[0].active
    method, count = first.method, len(members)
    names = [member.active.name for member in members]
    order: Key = (first.run.request.seed, "together", *names, *(m.active.record["iterations"] for m in members))
    budget = {"samples_per_cycle": method.samples_per_cycle * count, "batch_size": method.trunk_batch_size}
    jobs = [
        replace(job, number=number, recipe=replace(job.recipe, **budget))
        for number, job in enumerate(job_of(member.active, member.sampled) for member in members)
    ]
    return TrunkGroup(
        tasks=tuple(member.active.record for member in members),
        order=order,
        validation_cap=method.validation_cap,
        jobs=tuple(jobs),
        shares=tuple(member.share for member in members),
    )


def is_worse_together(record: ChildRecord, active: ActiveTask) -> bool:
    """Whether a task's path through the trunk answers clearly worse than the head that the task had before.

    That is by more than a standard error of the validation accuracy. Then the task gets a child of its own.
    """
    accuracies = [manifest["metrics"]["validation_accuracy"] for manifest in active.population.values()]
    before, accuracy = [value for value in accuracies if value is not None], record["accuracy"]
    if not before or accuracy is None:
        return accuracy is None
    best, examples = max(before), active.validation_examples
    return accuracy < best - sqrt(max(best * (1 - best), 1 / examples) / examples)
