"""`evolve`: what was asked is understood, workers start, a run begins or goes on, and Algorithm 1 does the rest.
`resume` goes on with what a run's record says was asked; `estimate` says beforehand how long that takes."""

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
from munet.evolution.executors.worker_plan import WorkerPlan, check_where
from munet.evolution.heads_read import as_done
from munet.evolution.loop import Evolution
from munet.evolution.options import ANYWHERE, FULL, METHOD, Budget, Where
from munet.evolution.runs import Request, begin, choose_unfinished, recorded_where
from munet.evolution.runs import abandon as leave_behind
from munet.evolution.speeds import MeasuredSpeed
from munet.evolution.work import read
from munet.model.loader import HasModels, ModelLoader
from munet.search import Method
from munet.store.gc import gc
from munet.store.run_records import read_config
from munet.tasks.cache.splits import Splits
from munet.tasks.comparing import changes_told
from munet.tasks.reopen import refuse_missing
from munet.tasks.trust import refuse_received
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
    abandon: str | None = None,
    observer: Observer | None = None,
) -> list[TaskFinished]:
    """Evolve tasks of a system (all of them, in their order, unless named), one model retained for each.

    `method` is the name of a preset or a TOML file; `budget`, and `settings` by name, override it. `image_size` fixes
    the pixels a side of every child; `preprocessing="none"` starts without augmentation. An interrupted run goes on
    when the same is asked again; after a finished one the same call adds task iterations. `allow_changed` accepts data
    that changed since the task was added; `abandon` names an interrupted run to leave behind, whose open population is
    lost. `where` changes no result but for last bits.
    """
    models, store, observe = system.models, system.models.store, observer or (lambda event: None)
    ready = _prepare(models, tasks, method, budget, where, image_size, preprocessing, settings)
    splits = Splits(allow_changed=allow_changed)
    for name in ready.asked.tasks:
        splits.check(store.read_task(name), ready.image_size)
    if allow_changed:
        for name in ready.asked.tasks:
            if changed := changes_told(store, name):
                observe(Notice(changed))
    request = Request(ready.asked.method, ready.asked.tasks, seed, image_size, ready.precision, where.threads)
    if budget.time is not None:
        request = _in_time(models, request, ready, splits, budget.time, observe, abandoned=abandon)
    return _grow(models, request, where, ready.device, ready.plan, splits, observe, abandon=abandon)


def resume(
    system: HasModels, run: str | None = None, *, where: Where | None = None, observer: Observer | None = None
) -> list[TaskFinished]:
    """Go on with an interrupted run from its record alone; `run` may be left out where there is only one.

    It is computed where it was, unless `where` says otherwise. InputError: no such run, images that are gone.
    """
    models, store = system.models, system.models.store
    name = choose_unfinished(store, run)
    config = read_config(store, name)
    request, where = Request.of(config["request"]), where or Where(**recorded_where(store, name))
    splits = Splits(allow_changed=(config.get("where") or {}).get("allow_changed", False))
    for task in request.tasks:
        refuse_received(store.read_task(task))
        refuse_missing(store.read_task(task))
        splits.check(store.read_task(task), request.image_size or models.image_size)
    check_where(where)
    device, method = choose_device(where.device), request.method
    work = _most_work(models, method, request.tasks, request.image_size)
    plan = plan_workers(where, device=device, children=method.children, work=work)
    return _grow(models, request, where, device, plan, splits, observer or (lambda event: None))


def _grow(
    models: ModelLoader,
    request: Request,
    where: Where,
    device: str,
    plan: WorkerPlan,
    splits: Splits,
    observe: Observer,
    *,
    abandon: str | None = None,
) -> list[TaskFinished]:
    """Begin the run that was asked for, or go on with it, and do it."""
    store = models.store
    memory = cache_bytes(where.cache_memory, device, plan.sharing)
    recorded = {**where.to_json(), "allow_changed": splits.allow_changed}
    left = read_config(store, abandon)["request"]["tasks"] if abandon in store.unfinished_runs() else []
    with store.evolving(*request.tasks, *left), join_cluster(plan, store) as cluster:
        if abandon is not None:
            observe(Notice(leave_behind(store, abandon)))
        run = begin(store, request, device=device, default_threads=plan.threads, where=recorded)
        if abandon is not None or run.resumed:
            gc(store)  # of what a killed process or an abandoned run left; later collections look at their own only
        compute = ComputeSettings(device, run.threads, memory, where.reuse, splits.allow_changed)
        executor = start_executor(plan, models, compute, splits, cluster)
        try:
            kept = _kept_speed(models, request.method, device, request.precision, plan, request.image_size)
            speed = Speed(kept.read() or 0.0, min(max(1, plan.workers), request.method.children)).rate
            return Evolution(models, run, splits, compute, executor, observe, speed=speed).go()
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

    The speed is remembered for an hour on this machine. It is the time of a whole run; what an interrupted one has done
    is not taken off.
    """
    models = system.models
    ready = _prepare(models, tasks, method, budget, where, image_size, preprocessing, settings)
    records = [models.store.read_task(name) for name in ready.asked.tasks]
    speed, chosen = _speed(models, ready, remembered=budget.time is None), ready.asked.method
    others = _images_read(models, ready, Splits(allow_changed=True))
    if budget.time is not None:
        chosen = within(budget.time, chosen, len(records), speed, others)
    return estimated(chosen, records, speed, others, sum(models.manifest(models.root)["sizes"].values()))


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
    return _Ready(asked, device, precision, plan, image_size or models.image_size)


def _speed(models: ModelLoader, ready: _Ready, *, remembered: bool) -> Speed:
    """The speed of this machine, or the one that it had within the last hour."""
    method, plan = ready.asked.method, ready.plan
    kept = _kept_speed(models, method, ready.device, ready.precision, plan, ready.image_size)
    workers = max(1, plan.workers)
    if remembered and (images := kept.read()):
        return Speed(images, workers)
    how = {"device": ready.device, "precision": ready.precision, "threads": plan.threads}
    speed = measure_speed(models, method, ready.image_size, **how, workers=workers)
    kept.write(speed.images)
    return speed


def _kept_speed(
    models: ModelLoader, method: Method, device: str, precision: str, plan: WorkerPlan, image_size: int | None
) -> MeasuredSpeed:
    """Where the speed of training so is remembered."""
    how = {"device": device, "precision": precision, "threads": plan.threads}
    shape = {"root": models.root, "image_size": image_size or models.image_size, "batch_size": method.batch_size}
    return MeasuredSpeed({**how, **shape, "step": method.step, "clone": method.clone})


def _in_time(
    models: ModelLoader,
    request: Request,
    ready: _Ready,
    splits: Splits,
    seconds: float,
    observe: Observer,
    *,
    abandoned: str | None,
) -> Request:
    """The request with as many samples as fit in the time; those of an interrupted run where there is one."""
    store = models.store
    going_on = interrupted(store, request, but=abandoned)
    if going_on is not None:
        return replace(request, method=going_on)
    speed = _speed(models, ready, remembered=False)
    method = within(seconds, request.method, len(request.tasks), speed, _images_read(models, ready, splits))
    each = method.samples_per_cycle * method.child_cycles
    observe(Notice(f"{seconds:g} s are {each:,} images a task: {speed.rate:,.0f} a second were measured"))
    return replace(request, method=method)


def _images_read(models: ModelLoader, ready: _Ready, splits: Splits) -> int:
    """Images of all tasks that a run reads without training on them."""
    method, flops = ready.asked.method, models.root_flops(ready.image_size)
    records = [models.store.read_task(name) for name in ready.asked.tasks]
    return sum(read(as_done(models, splits, method, record, ready.image_size), record, flops) for record in records)


def _most_work(models: ModelLoader, method: Method, tasks: Sequence[str], image_size: int | None) -> float:
    """FLOPs of a run in which every child trains all that the root has: what it takes at most, about."""
    step = 3 * models.root_flops(image_size)
    sizes = (models.store.read_task(name)["splits"]["train"]["examples"] for name in tasks)
    examples = sum(min(size, method.samples_per_cycle) for size in sizes)
    return step * examples * method.cycles * method.children * method.generations * method.task_iterations
