"""`evolve`: what was asked is understood, workers start, a run begins or goes on, and Algorithm 1 does the rest.
`estimate` says beforehand how long that takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from munet.evolution.asked import Asked, understood
from munet.evolution.child_trainer import ComputeSettings
from munet.evolution.estimate import Estimate, Speed, estimated, interrupted, measure_speed, within
from munet.evolution.events import (
    Notice,
    Observer,
    TaskFinished,
)
from munet.evolution.executors import join_cluster, plan_workers, start_executor
from munet.evolution.executors.worker_plan import WorkerPlan
from munet.evolution.loop import Evolution
from munet.evolution.options import ANYWHERE, FULL, METHOD, Budget, Where
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
from munet.tasks.comparing import changes_told
from munet.training.devices import cache_bytes, choose_device, choose_precision, preferred_precision


def evolve(
    system: HasModels,
    tasks: Sequence[str] | None = None,
    method: str = METHOD,
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
    models, store, observe = system.models, system.models.store, observer or (lambda event: None)
    ready = _prepare(models, tasks, method, budget, where, image_size, preprocessing, settings)
    plan, device, names = ready.plan, ready.device, ready.asked.tasks
    memory = cache_bytes(where.cache_memory, device, plan.sharing)
    splits = Splits(allow_changed=allow_changed)
    for name in names:
        splits.check(store.read_task(name), ready.image_size)
    if allow_changed:
        for name in names:
            if changed := changes_told(store, name):
                observe(Notice(changed))
    request = Request(ready.asked.method, names, seed, image_size, ready.precision, where.threads)
    if budget.time is not None:
        request = _in_time(models, request, ready, budget.time, observe, new=new)
    with store.evolving(), join_cluster(plan, store) as cluster:
        run = begin(store, request, device=device, default_threads=plan.threads, new=new)
        if new or run.resumed:
            gc(store)  # of what a killed process or an abandoned run left; later collections look at their own only
        compute = ComputeSettings(device, run.threads, memory, where.reuse, allow_changed)
        executor = start_executor(plan, models, compute, splits, cluster)
        try:
            return Evolution(models, run, splits, compute, executor, observe).go()
        finally:
            executor.close()


def estimate(
    system: HasModels,
    tasks: Sequence[str] | None = None,
    method: str = METHOD,
    *,
    budget: Budget = FULL,
    where: Where = ANYWHERE,
    image_size: int | None = None,
    preprocessing: str = "published",
    settings: Mapping[str, Any] | None = None,
) -> Estimate:
    """How long `evolve` with the same arguments will take: two seconds of training are measured, the rest is counted.

    It is that of a whole run; what an interrupted one has done is not taken off.
    """
    models = system.models
    ready = _prepare(models, tasks, method, budget, where, image_size, preprocessing, settings)
    records = [models.store.read_task(name) for name in ready.asked.tasks]
    return estimated(ready.asked.method, records, _speed(models, ready))


@dataclass(frozen=True)
class _Ready:
    """What was asked, and where it will be done."""

    asked: Asked
    device: str
    precision: str
    plan: WorkerPlan
    image_size: int


def _prepare(
    models: ModelLoader,
    tasks: Sequence[str] | None,
    method: str,
    budget: Budget,
    where: Where,
    image_size: int | None,
    preprocessing: str,
    settings: Mapping[str, Any] | None,
) -> _Ready:
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
    chosen, device = asked.method, choose_device(where.device)
    fused = chosen.step == "fused" and where.precision == "auto"
    precision = preferred_precision(device) if fused else choose_precision(where.precision, device)
    work = _most_work(models, chosen, asked.tasks, image_size)
    plan = plan_workers(where, device=device, children=chosen.children, work=work)
    return _Ready(asked, device, precision, plan, image_size or _root_size(models))


def _speed(models: ModelLoader, ready: _Ready) -> Speed:
    method, plan = ready.asked.method, ready.plan
    return measure_speed(
        models,
        method,
        ready.image_size,
        device=ready.device,
        precision=ready.precision,
        threads=plan.threads,
        workers=max(1, plan.workers),
    )


def _in_time(
    models: ModelLoader, request: Request, ready: _Ready, seconds: float, observe: Observer, *, new: bool
) -> Request:
    """The request with as many samples as fit in the time; those of an interrupted run where there is one."""
    store = models.store
    going_on = None if new else interrupted(store, request)
    if going_on is not None:
        return replace(request, method=going_on)
    speed = _speed(models, ready)
    method = within(seconds, request.method, [store.read_task(name) for name in request.tasks], speed)
    each = method.samples_per_cycle * method.child_cycles
    observe(Notice(f"{seconds:g} s are {each:,} images a task: {speed.rate:,.0f} a second were measured"))
    return replace(request, method=method)


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
