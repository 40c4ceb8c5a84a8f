"""Evolution of a multitask system (mu2Net+ Algorithm 1): sample -> mutate -> train -> score -> keep."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from .active import ActiveTask
from .data import Splits
from .devices import choose_device
from .errors import InputError
from .events import (
    ChildFinished,
    CycleFinished,
    Event,
    GenerationStarted,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskStarted,
)
from .predict import preprocessing_of
from .raising import keep, manifest_of, raise_child, record_of
from .runs import Run, begin, finished_children, now, read_generation, write_generation
from .search import Plan, load_method
from .training import Outcome, check_precision, evaluate

if TYPE_CHECKING:
    from .system import System

Observer = Callable[[Event], None]
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
    seed: int = 0,
    device: str = "auto",
    image_size: int | None = None,
    precision: str = "fp32",
    threads: int | None = None,
    settings: Mapping[str, Any] | None = None,
    allow_changed: bool = False,
    new: bool = False,
    observer: Observer | None = None,
) -> list[TaskFinished]:
    """Evolve tasks of a system (all of them, in their order, unless named), one model retained for each.

    `method` is the name of a preset or a TOML file; the numbers given here, and `settings` by name, override it.
    An interrupted run goes on when the same is asked again; after a finished one the same call adds task iterations.
    `allow_changed` accepts data that changed since the task was added; `new` leaves an interrupted run behind.
    """
    given = zip(
        _BUDGET, (task_iterations, generations, children, cycles, samples_per_cycle, batch_size, scale), strict=True
    )
    chosen = load_method(method, {**{k: v for k, v in given if v is not None}, **(settings or {})})
    check_precision(precision)
    if image_size is not None:
        system.architecture.check_image_size(image_size)
    names = list(dict.fromkeys(tasks)) if tasks else system.tasks
    if not names:
        raise InputError(f"{system.path} has no tasks yet: add one with `munet add {system.path} NAME SOURCE`")
    splits = Splits(allow_changed=allow_changed)
    for name in names:
        splits.check(system.task(name), image_size or system.manifest("root")["hyperparameters"]["image_size"])
    with system.store.evolving():
        run = begin(
            system,
            chosen,
            names,
            seed=seed,
            image_size=image_size,
            device=choose_device(device),
            precision=precision,
            threads=threads,
            new=new,
        )
        torch.set_num_threads(run.threads)
        return Evolution(system, run, splits, observer or (lambda event: None)).go()


class Evolution:
    """One run of `evolve`: task iterations over tasks, generations over a task, children over a generation."""

    def __init__(self, system: "System", run: Run, splits: Splits, observe: Observer) -> None:
        self.system = system
        self.run = run
        self.splits = splits
        self.observe = observe
        self.samples = 0
        self.seconds = {"train": 0.0, "validation": 0.0, "test": 0.0}

    def go(self) -> list[TaskFinished]:
        """Whatever of the run is not done yet."""
        began, run, method = perf_counter(), self.run, self.run.method
        sizes = (method.task_iterations, method.generations, method.children, method.cycles)
        before = finished_children(self.system, run)
        self.observe(RunStarted(run.name, method.name, run.tasks, *sizes, run.resumed, before))
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
            drawn = active.sample_generation(generation)
            children = read_generation(self.system, self.run, name, iteration, generation)
            mutations = tuple(tuple(mutation.to_json() for mutation in plan.mutations) for _, plan in drawn)
            self.observe(GenerationStarted(name, iteration, generation, mutations, len(children)))
            for number, (parent, plan) in enumerate(drawn):
                if number >= len(children):
                    self.raise_child(active, (name, iteration, generation), parent, plan, children)
            active.close_generation(children)
        active.retain(iteration, self._test(active) if active.population else None)
        self.system.gc()
        model, test = active.record["model"], active.record["test"]
        validation = active.manifest(model)["metrics"]["validation_accuracy"] if model else None
        accuracy = test["accuracy"] if test else None
        finished = TaskFinished(name, iteration, model, validation, accuracy, improved=model != before)
        self.observe(finished)
        return finished

    def _announce(self, active: ActiveTask, iteration: int) -> None:
        splits, model = active.record["splits"], active.record["model"]
        best = active.manifest(model)["metrics"]["validation_accuracy"] if model else None
        self.observe(TaskStarted(active.name, iteration, splits["train"]["examples"], active.validation_examples, best))

    def raise_child(
        self, active: ActiveTask, place: tuple[str, int, int], parent: str, plan: Plan, siblings: list[dict[str, Any]]
    ) -> None:
        """Train one child and keep it if it deserves it; its record joins its siblings' on disk at once."""
        _, iteration, generation = place
        number = len(siblings)
        key = active.key(generation, number)
        raised = raise_child(
            active,
            self.splits,
            parent,
            plan,
            key,
            lambda c, accuracy: self.observe(CycleFinished(*place, number, c, accuracy)),
        )
        record, facts, clock = record_of(number, active, raised, self.run), raised.facts, perf_counter()
        with self.system.store.commit():
            if facts["accepted"]:
                record["model"] = keep(active, manifest_of(active, raised), raised)
            record["finished"] = now()
            record["seconds"]["other"] += perf_counter() - clock
            siblings.append(record)
            write_generation(self.system, self.run, active.name, iteration, generation, siblings)
        self._count(raised.outcome)
        rivals = [c.score for c in active.candidates()] + [s["score"] for s in siblings[:-1] if s["accepted"]]
        best = facts["accepted"] and facts["score"] >= max(rivals, default=0.0)
        verdict = (facts["accepted"], best, facts["accuracy"], facts["score"], facts["reason"])
        self.observe(ChildFinished(*place, number, *verdict, record))

    def _count(self, outcome: Outcome) -> None:
        self.samples += outcome.samples
        self.seconds["train"] += outcome.train_seconds
        self.seconds["validation"] += outcome.validation_seconds

    def _test(self, active: ActiveTask) -> dict[str, Any]:
        """Test accuracy of the model about to be retained; a model is tested once. Nothing is ever selected on it."""
        best, known = active.best(), active.record["test"]
        if known and known["model"] == best:
            return known
        manifest, clock = active.manifest(best), perf_counter()
        split = self.splits.get(active.record, "test", manifest["hyperparameters"]["image_size"])
        network = self.system.network(best).to(self.run.device)
        pre = preprocessing_of(self.system, manifest)
        correct, examples = evaluate(network, split, pre, device=self.run.device, precision=self.run.precision)
        self.seconds["test"] += perf_counter() - clock
        return {"model": best, "accuracy": correct / examples, "examples": examples}
