"""`evolve`: what was asked is understood, workers start, a run begins or goes on, and Algorithm 1 does the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

from munet.evolution.asked import understood
from munet.evolution.child_trainer import ComputeSettings
from munet.evolution.events import (
    Observer,
    TaskFinished,
)
from munet.evolution.executors import join_cluster, plan_workers, start_executor
from munet.evolution.loop import Evolution
from munet.evolution.options import ANYWHERE, FULL, Budget, Where
from munet.evolution.runs import (
    Request,
    begin,
)
from munet.model.cost import flops
from munet.model.loader import HasModels, ModelLoader
from munet.model.slots import blocks_in
from munet.search import Method
from munet.store.gc import gc
from munet.tasks.cache.splits import Splits
from munet.training.devices import cache_bytes, choose_device, choose_precision, preferred_precision


def evolve(
    system: HasModels,
    tasks: Sequence[str] | None = None,
    method: str = "mu2net-plus",
    *,
    budget: Budget = FULL,
    where: Where = ANYWHERE,
    seed: int = 0,
    image_size: int | None = None,
    preprocessing: str = "published",
    settings: Mapping[str, Any] | None = None,
    allow_changed: bool = False,
    new: bool = False,
    observer: Observer | None = None,
) -> list[TaskFinished]:
    """Evolve tasks of a system (all of them, in their order, unless named), one model retained for each.

    `method` is the name of a preset or a TOML file; `budget`, and `settings` by name, override it. `image_size` fixes
    the pixels a side of every child; `preprocessing="none"` starts without augmentation. An interrupted run goes on
    when the same is asked again; after a finished one the same call adds task iterations. `allow_changed` accepts data
    that changed since the task was added; `new` leaves an interrupted run behind. `where` changes no result but for
    last bits.
    """
    models, store = system.models, system.models.store
    asked = understood(
        models,
        tasks,
        method,
        budget=budget,
        where=where,
        image_size=image_size,
        preprocessing=preprocessing,
        settings=settings,
    )
    chosen, names = asked.method, asked.tasks
    device = choose_device(where.device)
    fused = chosen.step == "fused" and where.precision == "auto"
    precision = preferred_precision(device) if fused else choose_precision(where.precision, device)
    work = _most_work(models, chosen, names, image_size)
    plan = plan_workers(where, device=device, children=chosen.children, work=work)
    memory = cache_bytes(where.cache_memory, device, plan.sharing)
    splits = Splits(allow_changed=allow_changed)
    for name in names:
        splits.check(store.read_task(name), image_size or _root_size(models))
    request = Request(chosen, names, seed, image_size, precision, where.threads)
    with store.evolving(), join_cluster(plan, store) as cluster:
        run = begin(store, request, device=device, default_threads=plan.threads, new=new)
        if new or run.resumed:
            gc(store)  # of what a killed process or an abandoned run left; later collections look at their own only
        compute = ComputeSettings(device, run.threads, memory, where.reuse, allow_changed)
        executor = start_executor(plan, models, compute, splits, cluster)
        try:
            return Evolution(models, run, splits, compute, executor, observer or (lambda event: None)).go()
        finally:
            executor.close()


def _root_size(models: ModelLoader) -> int:
    """Image size of the root in pixels."""
    return models.manifest(models.root)["hyperparameters"]["image_size"]


def _most_work(models: ModelLoader, method: Method, tasks: Sequence[str], image_size: int | None) -> float:
    """FLOPs of a run in which every child trains all that the root has: what it takes at most, about."""
    root = models.manifest(models.root)
    step = 3 * flops(models.architecture, blocks_in(root["layers"]), image_size or _root_size(models), 2)
    sizes = (models.store.read_task(name)["splits"]["train"]["examples"] for name in tasks)
    examples = sum(min(size, method.samples_per_cycle) for size in sizes)
    return step * examples * method.cycles * method.children * method.generations * method.task_iterations
