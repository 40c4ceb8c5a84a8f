"""The summary of a run: scores of a checkpoint on every split, its allocation, sizes and compute."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from munet.allocation.data.tasks import PARTS, TaskData
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.runs.folder import RunFolder
from munet.allocation.training import measures
from munet.allocation.training.scores import empty_rows, grouped_similarity, mean, scores, shares, used_matrices
from munet.fs.atomic import write_atomic
from munet.fs.sealed_zip import seal_zip
from munet.provenance import now, versions

if TYPE_CHECKING:
    from munet.allocation.training.joint import JointTrainer


def report(
    network: MultitaskNetwork,
    allocation: Allocation,
    tasks: Sequence[TaskData],
    parts: Sequence[str],
    *,
    round: int,
    device: str = "cpu",
) -> dict[str, Any]:
    """Of one checkpoint, as plain values.

    scores, means        accuracy, or coefficient of determination, by split, of each task and the mean over tasks
    used, fraction_used  share of the routed components that a task uses, and the mean
    similarity           mean cosine of what two tasks use: within and across clusters, None without such pairs
    empty_rows           pairs (task, layer) in which nothing is likelier than not
    parameters, accounted_parameters, flops  of each task: all that it uses, its share of that, operations of an example
    parameters_used      what at least one task uses; the accounted parameters sum to it
    """
    matrices = used_matrices(allocation)
    found = {part: scores(network, allocation, tasks, part, device=device) for part in parts}
    sample, _ = tasks[0].splits["train"].batch([0])
    accounted = measures.accounted(network, allocation)
    flops = measures.flops_by_task(network, allocation, sample.to(device))
    used = shares(matrices, len(tasks))
    return {
        "round": round,
        "scores": found,
        "means": {part: mean(of) for part, of in found.items()},
        "fraction_used": float(used.mean()),
        "used": {task.name: float(share) for task, share in zip(tasks, used, strict=True)},
        "similarity": grouped_similarity(matrices, [task.cluster for task in tasks]),
        "empty_rows": empty_rows(allocation),
        "parameters": measures.parameters_by_task(network, allocation),
        "accounted_parameters": accounted,
        "accounted_parameters_per_task": mean(accounted),
        "parameters_used": measures.used_parameters(network, allocation),
        "parameters_in_all": sum(parameter.numel() for parameter in network.parameters()),
        "unused_components": measures.unused_components(network, allocation),
        "flops": flops,
        "flops_per_task": mean(flops),
    }


def present(tasks: Sequence[TaskData], *, train: bool = True) -> list[str]:
    """The splits that all tasks have."""
    wanted = [part for part in PARTS if train or part != "train"]
    return [part for part in wanted if all(part in task.splits and len(task.splits[part]) for task in tasks)]


def final(
    trainer: "JointTrainer", folder: RunFolder, best: int, config: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """The summary of a finished run: its best and its last checkpoint are tested, each once."""
    settings, tasks = trainer.settings, trainer.tasks
    parts = present(tasks, train=settings.evaluate_train)

    def reported(round: int) -> dict[str, Any]:
        held = folder.checkpoint(round)
        trainer.network.load_state_dict(held["network"])
        trainer.allocation.load_state_dict(held["allocation"])
        return report(trainer.network, trainer.allocation, tasks, parts, round=round, device=trainer.device)

    last = reported(trainer.round)
    return {
        "request": config["request"],
        "measure": "accuracy" if all(task.classes for task in tasks) else "score",
        "tasks": [task.name for task in tasks],
        "clusters": [task.cluster for task in tasks],
        "notes": {task.name: task.note for task in tasks if task.note},
        "examples": {task.name: {part: len(held) for part, held in task.splits.items()} for task in tasks},
        "rounds": trainer.round,
        "updates": trainer.step,
        "samples": trainer.samples,
        "best": last if best == trainer.round else reported(best),
        "last": last,
        "seconds": seconds,
        "device": trainer.device,
        "threads": config["threads"],
        "started": config["started"],
        "finished": now(),
        "versions": versions(),
        "machine": config["machine"],
    }


def write_arrays(folder: RunFolder, best: int) -> None:
    """allocation.npz: of the best checkpoint the probabilities and what is used, and the probabilities over the rounds.

    tasks, clusters            names (T,)
    probabilities_k, greedy_k  of the k-th routed layer, float32 and bool (T, C)
    components_k               names of its components (C,)
    rounds                     of all checkpoints, int64 (R,)
    history_k                  probabilities at each of them, float32 (R, T, C)
    """
    held = folder.checkpoint(best)
    rounds = folder.rounds()
    layers = [folder.checkpoint(round)["probabilities"] for round in rounds]
    arrays: dict[str, np.ndarray] = {
        "tasks": np.array(held["tasks"]),
        "clusters": np.array(held["clusters"]),
        "round": np.array(best),
        "rounds": np.array(rounds, np.int64),
    }
    for number, (probabilities, greedy) in enumerate(zip(held["probabilities"], held["greedy"], strict=True)):
        arrays |= {
            f"probabilities_{number}": probabilities.numpy(),
            f"greedy_{number}": greedy.numpy(),
            f"components_{number}": np.array(held["components"][number]),
            f"history_{number}": np.stack([each[number].numpy() for each in layers]),
        }
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    write_atomic(folder.path / "allocation.npz", seal_zip(out.getvalue()))
