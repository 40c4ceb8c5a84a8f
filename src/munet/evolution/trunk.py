"""A trunk trained together: one child of the root for several new tasks, stored once; each task has a path and a head.

Tasks share the samples of all of them, by need where the method says so (ours, docs/method.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

from munet.evolution.active_task import ActiveTask
from munet.evolution.child import SampledChild, job_of
from munet.evolution.jobs import TrunkGroup
from munet.evolution.runs import Run
from munet.evolution.shares import first_child
from munet.rng import Key
from munet.search.adaptive import Evidence, plan_trunk, trunk_batch_size, trunk_error
from munet.store import Store
from munet.store.schema import ChildRecord


@dataclass(frozen=True)
class TrunkMember:
    """One task of a trunk, and its path as a child of the task."""

    active: ActiveTask
    sampled: SampledChild
    share: float  # of the samples; all of them add up to 1


def is_trained(store: Store, run: Run, names: Sequence[str], iteration: int) -> bool:
    """Whether every task has the record of its path already."""
    return all((first := first_child(store, run, name, iteration)) and first.get("together") for name in names)


def plan_members(
    actives: Sequence[ActiveTask], evidence: Mapping[str, Evidence], samples: Mapping[str, int]
) -> list[TrunkMember]:
    """What each task's path will be, and its share of the samples."""
    first, errors = actives[0], [evidence[active.name].root.error for active in actives]
    error = trunk_error(first.method, errors, _root_parameters(first))
    total = sum(samples[active.name] for active in actives)
    return [
        TrunkMember(
            active,
            _sampled(active, evidence[active.name], samples[active.name], error),
            samples[active.name] / total,
        )
        for active in actives
    ]


def _sampled(active: ActiveTask, evidence: Evidence, samples: int, error: float) -> SampledChild:
    root, size = active.models.root, active.run.request.image_size
    plan = plan_trunk(active.method, active.as_parent(root), evidence, samples, _root_parameters(active), size, error)
    child = active.inheritance.resolve(plan, active.living_lineage(root))
    return SampledChild(0, root, plan, active.key(0, 0), child, evidence)


def _root_parameters(active: ActiveTask) -> int:
    return sum(active.inheritance.root["sizes"].values())


def trunk_group(members: Sequence[TrunkMember], samples: int, checkpoint: Path) -> TrunkGroup:
    """The work of training it on so many samples of all tasks. Jobs are numbered as the members are.

    `checkpoint` is the file that holds the training between its cycles.
    """
    first = members[0].active
    method = first.method
    names = [member.active.name for member in members]
    order: Key = (first.run.request.seed, "together", *names, *(m.active.record["iterations"] for m in members))
    size = trunk_batch_size(method, _root_parameters(first))
    budget = {"samples_per_cycle": max(round(samples / method.cycles), size), "batch_size": size}
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
        checkpoint=str(checkpoint),
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
