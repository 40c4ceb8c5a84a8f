"""Evolution of a multitask system (mu2Net+ Algorithm 1): sample -> mutate -> train -> score -> keep."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from munet.errors import InputError
from munet.evolution.active_task import ActiveTask
from munet.evolution.child import Draw, Record, draw_generation, job_of, judge, keep, manifest_of, record_of
from munet.evolution.child_trainer import Setting
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    GenerationStarted,
    Notice,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskStarted,
)
from munet.evolution.executors import Executor, join_cluster, plan_workers, start_executor
from munet.evolution.jobs import Result, form_litters
from munet.evolution.runs import Run, begin, finished_children, read_generation, write_generation, write_iteration
from munet.inference.predict import preprocessing_of
from munet.model.cost import flops
from munet.model.slots import blocks_in
from munet.provenance import now
from munet.search import Method, load_method, starting_preprocessing, with_samples_per_task
from munet.store.gc import collect
from munet.tasks.cache.splits import Splits
from munet.training import Outcome, evaluate
from munet.training.devices import cache_bytes, choose_device, choose_precision

if TYPE_CHECKING:
    from munet.system import System

Observer = Callable[[Event], None]
Place = tuple[str, int, int]  # task, iteration in this run, generation
_BUDGET = ("task_iterations", "generations", "children", "cycles", "samples_per_cycle", "batch_size", "scale")


def evolve(
    system: "System",
    tasks: Sequence[str] | None = None,
    method: str = "mu2net-plus",
    *,
    task_iterations: int | None = None,
    generations: int | None = None,
    children: int | None = None,
    cycles: int | None = None,
    samples_per_cycle: int | None = None,
    batch_size: int | None = None,
    scale: float | None = None,
    samples_per_task: int | None = None,
    preprocessing: str = "published",
    seed: int = 0,
    device: str = "auto",
    image_size: int | None = None,
    precision: str = "auto",
    executor: str = "auto",
    workers: int | None = None,
    threads: int | None = None,
    address: str | None = None,
    gpus_per_child: float | None = None,
    cache_memory: int | None = None,
    reuse: bool = True,
    settings: Mapping[str, Any] | None = None,
    allow_changed: bool = False,
    new: bool = False,
    observer: Observer | None = None,
) -> list[TaskFinished]:
    """Evolve tasks of a system (all of them, in their order, unless named), one model retained for each.

    `method` is the name of a preset or a TOML file; the numbers given here, and `settings` by name, override it.
    `samples_per_task` makes its cycles so long that each task is trained on so many images in this run, whatever the
    method; `preprocessing="none"` starts without augmentation.
    An interrupted run goes on when the same is asked again; after a finished one the same call adds task iterations.
    `allow_changed` accepts data that changed since the task was added; `new` leaves an interrupted run behind.

    Where and how fast children are trained changes nothing about them: `executor` is local, processes or ray
    (docs/engine.md), `workers` of it train at a time, `cache_memory` bytes of activations are kept in each, and
    `reuse=False` keeps and shares nothing. Only `threads` of each child, `precision` and the device may show in the
    last bits; they are recorded.
    """
    given = zip(
        _BUDGET, (task_iterations, generations, children, cycles, samples_per_cycle, batch_size, scale), strict=True
    )
    overrides = {k: v for k, v in given if v is not None}
    chosen = load_method(method, {**starting_preprocessing(preprocessing), **overrides, **(settings or {})})
    if samples_per_task is not None:
        chosen = with_samples_per_task(chosen, samples_per_task)
    architecture = system.architecture  # refused at once where nothing can evolve
    place = choose_device(device)
    numbers = choose_precision(precision, place)
    if image_size is not None:
        architecture.check_image_size(image_size)
    names = list(dict.fromkeys(tasks)) if tasks else system.tasks
    if not names:
        raise InputError(f"{system.path} has no tasks yet: add one with `munet add {system.path} NAME SOURCE`")
    team = plan_workers(
        executor,
        workers=workers,
        threads=threads,
        device=place,
        children=chosen.children,
        work=_most_work(system, chosen, names, image_size),
        address=address,
        gpus_per_child=gpus_per_child,
    )
    memory = cache_bytes(cache_memory, place, team.sharing)
    splits = Splits(allow_changed=allow_changed)
    for name in names:
        splits.check(system.task(name), image_size or system.manifest("root")["hyperparameters"]["image_size"])
    with system.store.evolving(), join_cluster(team, system) as cluster:
        run = begin(
            system,
            chosen,
            names,
            seed=seed,
            image_size=image_size,
            device=place,
            precision=numbers,
            threads=threads,
            default_threads=team.threads,
            new=new,
        )
        if new or run.resumed:
            system.gc()  # of what a killed process or an abandoned run left; later collections look at their own only
        setting = Setting(place, run.threads, memory, reuse, allow_changed)
        trainer = start_executor(team, system, setting, splits, cluster)
        try:
            return Evolution(system, run, splits, setting, trainer, observer or (lambda event: None)).go()
        finally:
            trainer.close()


def _most_work(system: "System", method: Method, tasks: Sequence[str], image_size: int | None) -> float:
    """FLOPs of a run in which every child trains all that the root has: what it takes at most, about."""
    root = system.manifest(system.root)
    size = image_size or root["hyperparameters"]["image_size"]
    step = 3 * flops(system.architecture, blocks_in(root["layers"]), size, 2)
    examples = sum(min(system.task(n)["splits"]["train"]["examples"], method.samples_per_cycle) for n in tasks)
    return step * examples * method.cycles * method.children * method.generations * method.task_iterations


class Evolution:
    """One run of `evolve`: task iterations over tasks, generations over a task, children over a generation."""

    def __init__(
        self, system: "System", run: Run, splits: Splits, setting: Setting, executor: Executor, observe: Observer
    ) -> None:
        self.system = system
        self.run = run
        self.splits = splits
        self.setting = setting
        self.executor = executor
        self.observe = observe
        self.samples = 0
        self.seconds = {"train": 0.0, "validation": 0.0, "test": 0.0}

    def go(self) -> list[TaskFinished]:
        """Whatever of the run is not done yet."""
        began, run, method = perf_counter(), self.run, self.run.method
        sizes = (method.task_iterations, method.generations, method.children, method.cycles)
        before = finished_children(self.system, run)
        self.observe(RunStarted(run.name, method.name, run.tasks, *sizes, run.resumed, before))
        for text in self.splits.notes:
            self.observe(Notice(text))
        results: list[TaskFinished] = []
        for iteration in range(method.task_iterations):
            open_tasks = [name for name in run.tasks if not run.has_finished(self.system.task(name), iteration)]
            results += [self.evolve_task(name, iteration) for name in open_tasks]
        self.system.store.write_run(run.name, "finished.json", {"finished": now(), "abandoned": False})
        self.observe(RunFinished(run.name, perf_counter() - began, **self._spent()))
        return results

    def _spent(self) -> dict[str, Any]:
        seconds = {f"{part}_seconds": value for part, value in self.seconds.items()}
        return {**seconds, "samples": self.samples}

    def evolve_task(self, name: str, iteration: int) -> TaskFinished:
        """One task iteration: all generations, then the best model is retained, tested, and owns its layers."""
        active = ActiveTask(self.system, self.run, name)
        before = active.record["model"]
        self._announce(active, iteration)
        for generation in range(active.generation, active.method.generations):
            active.open(iteration, generation)
            self._raise_generation(active, (name, iteration, generation))
        best = active.best() if active.population else None
        test = self._test(active, best) if best else None
        write_iteration(self.system, self.run, name, iteration, best, test)
        active.retain(iteration, best, test)
        collect(self.system.store, list(active.population))
        validation = active.manifest(best)["metrics"]["validation_accuracy"] if best else None
        accuracy = test["accuracy"] if test else None
        finished = TaskFinished(name, iteration, best, validation, accuracy, improved=best != before)
        self.observe(finished)
        return finished

    def _raise_generation(self, active: ActiveTask, place: Place) -> None:
        """Draw the children of a generation, train those that an interrupted run has not, and let the good ones in."""
        drawn = draw_generation(active, place[2])
        records = {record["child"]: record for record in read_generation(self.system, self.run, *place)}
        mutations = tuple(tuple(mutation.to_json() for mutation in draw.plan.mutations) for draw in drawn)
        self.observe(GenerationStarted(*place, mutations, tuple(sorted(records))))
        for result in self._train(active, place, [draw for draw in drawn if draw.number not in records]):
            self._finish(active, place, drawn[result.number], result, records)
        active.close_generation([records[number] for number in sorted(records)])

    def _train(self, active: ActiveTask, place: Place, drawn: Sequence[Draw]) -> Iterator[Result]:
        """Results in the order in which the executor has them: none depends on it."""
        litters = form_litters(
            active.record,
            [job_of(active, draw) for draw in drawn],
            order=active.order(place[2]) if active.method.data_order == "generation" else None,
            together=self.setting.reuse,
            validation_cap=active.method.validation_cap,
            workers=self.executor.workers,
            memory=self.setting.cache_memory,
        )
        return self.executor.run(
            litters,
            lambda child, cycle, accuracy: self.observe(CycleFinished(*place, child, cycle, accuracy)),
            lambda text: self.observe(Notice(text)),
        )

    def _announce(self, active: ActiveTask, iteration: int) -> None:
        splits, model = active.record["splits"], active.record["model"]
        best = active.manifest(model)["metrics"]["validation_accuracy"] if model else None
        self.observe(TaskStarted(active.name, iteration, splits["train"]["examples"], active.validation_examples, best))

    def _finish(self, active: ActiveTask, place: Place, draw: Draw, result: Result, records: dict[int, Record]) -> None:
        """Judge a trained child and keep it if it deserves it; its record joins its siblings' on disk at once."""
        facts, clock = judge(active, draw, result), perf_counter()
        record = record_of(active, draw, result, facts)
        with self.system.store.commit():
            if facts["accepted"]:
                record["model"] = keep(active, draw, result, manifest_of(active, draw, result, facts))
            record["finished"] = now()
            record["seconds"]["other"] += perf_counter() - clock
            records[draw.number] = record
            write_generation(self.system, self.run, *place, [records[number] for number in sorted(records)])
        self._count(result.outcome)
        siblings = [other["score"] for other in records.values() if other["accepted"] and other is not record]
        rivals = [candidate.score for candidate in active.candidates()] + siblings
        best = facts["accepted"] and facts["score"] >= max(rivals, default=0.0)
        verdict = (facts["accepted"], best, facts["accuracy"], facts["score"], facts["reason"])
        self.observe(ChildFinished(*place, draw.number, *verdict, record))

    def _count(self, outcome: Outcome) -> None:
        self.samples += outcome.samples
        self.seconds["train"] += outcome.train_seconds
        self.seconds["validation"] += outcome.validation_seconds

    def _test(self, active: ActiveTask, best: str) -> dict[str, Any]:
        """Test accuracy of the model about to be retained; a model is tested once. Nothing is ever selected on it."""
        known = active.record["test"]
        if known and known["model"] == best:
            return known
        manifest, clock = active.manifest(best), perf_counter()
        torch.set_num_threads(self.run.threads)  # as in training, wherever that was
        split = self.splits.get(active.record, "test", manifest["hyperparameters"]["image_size"])
        network = self.system.network(best).on(self.run.device, self.run.precision)
        pre = preprocessing_of(self.system, manifest)
        correct, examples = evaluate(network, split, pre, device=self.run.device, precision=self.run.precision)
        self.seconds["test"] += perf_counter() - clock
        return {"model": best, "accuracy": correct / examples, "examples": examples}
