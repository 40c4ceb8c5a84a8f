"""The choice among executors."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from munet.evolution.executors.base import Executor
from munet.evolution.executors.worker_plan import WorkerPlan

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ComputeSettings
    from munet.evolution.executors.ray_cluster import Cluster
    from munet.model.loader import ModelLoader
    from munet.store import Store
    from munet.tasks.cache.splits import Splits


def join_cluster(plan: WorkerPlan, store: "Store") -> "AbstractContextManager[Cluster | None]":
    """The cluster of a plan that has one, left at the end. Before a run begins: an address may be wrong."""
    if plan.executor != "ray":
        return nullcontext()
    from munet.evolution.executors import ray_executor

    return ray_executor.join_cluster(plan, store)


def start_executor(
    plan: WorkerPlan,
    models: "ModelLoader",
    compute: "ComputeSettings",
    splits: "Splits",
    cluster: "Cluster | None" = None,
) -> Executor:
    """The executor of a plan. `splits` are what this process has read already."""
    if cluster is not None:
        from munet.evolution.executors.ray_executor import RayExecutor

        return RayExecutor(cluster, plan, models.store, compute, splits)
    if plan.executor == "processes":
        from munet.evolution.executors.processes import ProcessesExecutor

        return ProcessesExecutor(plan, models.store, compute, splits)
    from munet.evolution.executors.local import LocalExecutor

    return LocalExecutor(models, compute, splits)
