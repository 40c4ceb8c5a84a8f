"""The record of a generation: every child that was sampled in it, accepted or not."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from munet.store.records import FORMAT
from munet.store.schema.manifest import Mutation
from munet.store.schema.task import SeenModel


class Verdict(TypedDict):
    """What a trained child came to, and whether it is accepted."""

    accepted: bool
    reason: str | None  # of a rejection
    accuracy: float | None  # on the validation split, in the selected cycle; None: its training failed
    score: float | None
    parent_score: float | None  # None where the parent is not in the population
    parameters: int | None
    trainable_parameters: int | None
    accounted_parameters: float | None
    flops: float | None  # of one forward pass of one image


class FlopsSpent(TypedDict):
    """What a plain loop would take for a child."""

    train: float
    validation: float


class Seconds(TypedDict):
    """Wall time that a child took."""

    train: float
    validation: float
    other: float


class ChildRecord(Verdict):
    """What a run remembers of a child."""

    child: int  # its number in the generation
    parent: str | None  # model id; None: an imported one whose weights are gone
    parent_task: str | None  # None: the root
    model: str | None  # id; None unless accepted
    mutations: list[Mutation]
    hyperparameters: dict[str, Any]
    cloned: list[str] | None  # slots that it trained; None where an import does not tell
    cycle: int | None
    accuracies: list[float]
    samples: int
    flops_spent: FlopsSpent
    stream: list[str | int]
    device: str | None
    seconds: Seconds
    started: str | None  # UTC
    finished: NotRequired[str | None]  # from when it was judged
    path: NotRequired[str]  # of an import: the published key of the child
    parent_path: NotRequired[str | None]
    evidence: NotRequired[dict[str, Any]]  # what a search that adapts saw before it chose the plan
    new_head: NotRequired[float]  # validation accuracy with its head made anew after training, kept where no worse
    together: NotRequired[list[str]]  # tasks that share its new layers, but for the head, from the beginning


class GenerationRecord(TypedDict):
    """`<task>-<iteration>-<generation>.json`: replaced whole as each child finishes."""

    format: int
    task: str
    iteration: int
    generation: int
    children: list[ChildRecord]
    seen: NotRequired[list[SeenModel]]  # what other tasks retained when it began; lacks in older records


def verdict(
    *,
    accepted: bool,
    reason: str | None,
    accuracy: float | None,
    score: float | None,
    parent_score: float | None,
    parameters: int | None,
    trainable_parameters: int | None,
    accounted_parameters: float | None,
    flops: float | None,
) -> Verdict:
    """The verdict on a child, as its record begins."""
    return {
        "accepted": accepted,
        "reason": reason,
        "accuracy": accuracy,
        "score": score,
        "parent_score": parent_score,
        "parameters": parameters,
        "trainable_parameters": trainable_parameters,
        "accounted_parameters": accounted_parameters,
        "flops": flops,
    }


def child_record(
    number: int,
    verdict: Verdict,
    *,
    parent: str | None,
    parent_task: str | None,
    mutations: Sequence[Mutation],
    hyperparameters: Mapping[str, Any],
    cloned: Sequence[str] | None,
    cycle: int | None,
    accuracies: Sequence[float],
    samples: int,
    flops_spent: FlopsSpent,
    stream: Sequence[str | int],
    device: str | None,
    seconds: Seconds,
    started: str | None,
) -> ChildRecord:
    """Begin the record of a child; its model's id and its end are still to come."""
    return {
        "child": number,
        "parent": parent,
        "parent_task": parent_task,
        "model": None,
        **verdict,
        "mutations": list(mutations),
        "hyperparameters": dict(hyperparameters),
        "cloned": None if cloned is None else list(cloned),
        "cycle": cycle,
        "accuracies": list(accuracies),
        "samples": samples,
        "flops_spent": flops_spent,
        "stream": list(stream),
        "device": device,
        "seconds": seconds,
        "started": started,
    }


def generation_record(
    task: str,
    iteration: int,
    generation: int,
    children: Sequence[ChildRecord],
    seen: Sequence[SeenModel] | None = None,
) -> GenerationRecord:
    """The record of a generation with the children that have finished so far."""
    record: GenerationRecord = {
        "format": FORMAT,
        "task": task,
        "iteration": iteration,
        "generation": generation,
        "children": [*children],
    }
    if seen is not None:
        record["seen"] = [*seen]
    return record
