"""Evolution of a multitask system (mu2Net+ Algorithm 1): sample -> mutate -> train -> score -> keep."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from .active import ActiveTask
from .children import Child, Manifest
from .data import Splits
from .devices import choose_device
from .errors import InputError, suggest
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
from .layers import layer_size
from .network import Network
from .predict import preprocessing_of
from .runs import Run, begin, finished_children, now, read_generation, write_generation
from .search import Plan, load_method
from .store import FORMAT
from .training import Outcome, Preprocessing, Recipe, evaluate, train

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
    given = zip(_BUDGET, (task_iterations, generations, children, cycles, samples_per_cycle, batch_size, scale), strict=True)
    chosen = load_method(method, {**{k: v for k, v in given if v is not None}, **(settings or {})})
    if image_size is not None:
        system.architecture.check_image_size(image_size)
    names = list(tasks) if tasks else system.tasks
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
        self.seconds = {"train": 0.0, "validation": 0.0}

    def go(self) -> list[TaskFinished]:
        """Whatever of the run is not done yet."""
        began, run, method = perf_counter(), self.run, self.run.method
        sizes = (method.task_iterations, method.generations, method.children, method.cycles)
        before = finished_children(self.system, run)
        self.observe(RunStarted(run.name, method.name, run.tasks, *sizes, run.resumed, before))
        results = []
        for iteration in range(method.task_iterations):
            for name in run.tasks:
                if not run.has_finished(self.system.task(name), iteration):
                    results.append(self.evolve_task(name, iteration))
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
            lines = tuple(describe(plan) for _, plan in drawn)
            self.observe(GenerationStarted(name, iteration, generation, lines))
            children = read_generation(self.system, self.run, name, iteration, generation)
            for number, (parent, plan) in enumerate(drawn):
                if number >= len(children):
                    self.raise_child(active, iteration, generation, parent, plan, children)
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
        validation = min(splits["validation"]["examples"], active.method.validation_cap)
        self.observe(TaskStarted(active.name, iteration, splits["train"]["examples"], validation, best))

    def raise_child(
        self,
        active: ActiveTask,
        iteration: int,
        generation: int,
        parent: str,
        plan: Plan,
        siblings: list[dict[str, Any]],
    ) -> None:
        """Train one child, judge it, keep it if it deserves it; its record joins its siblings' on disk, at once."""
        clock, started = perf_counter(), now()
        place = (active.name, iteration, generation, len(siblings))
        key = active.key(generation, len(siblings))
        child = active.nursery.build(plan, active.living_lineage(parent), key)
        outcome = self._train(active, child, plan, key, lambda c, accuracy: self.observe(CycleFinished(*place, c, accuracy)))
        accuracy = None if outcome.rejected else outcome.accuracies[outcome.best_cycle]
        facts = active.judge(child, plan, parent, accuracy)
        manifest = self._manifest(active, child, plan, parent, key, outcome, facts)
        record = {
            "child": len(siblings),
            "parent": parent,
            "parent_task": active.manifest(parent)["task"],
            "model": None,
            **facts,
            "reason": outcome.rejected or facts["reason"],
            **{name: manifest[name] for name in ("mutations", "hyperparameters", "stream")},
            "cloned": sorted(child.trainable),
            "cycle": outcome.best_cycle,
            "accuracies": outcome.accuracies,
            "samples": outcome.samples,
            "started": started,
        }
        with self.system.store.commit():
            if facts["accepted"]:
                record["model"] = self._store(manifest, child, outcome)
            record |= {"finished": now(), "seconds": self._clock(outcome, perf_counter() - clock)}
            siblings.append(record)
            write_generation(self.system, self.run, active.name, iteration, generation, siblings)
        rivals = [c.score for c in active.candidates()] + [s["score"] for s in siblings[:-1] if s["accepted"]]
        best = facts["accepted"] and facts["score"] >= max(rivals, default=0.0)
        self.observe(
            ChildFinished(*place, facts["accepted"], best, accuracy, facts["score"], record["reason"], record)
        )

    def _train(
        self, active: ActiveTask, child: Child, plan: Plan, key: tuple[Any, ...], on_cycle: Callable[[int, float], None]
    ) -> Outcome:
        method, size = active.method, plan.hyperparameters["image_size"]
        network = Network(self.system.architecture, child.layers, size, child.trainable).to(self.run.device)
        training = self.splits.get(active.record, "train", size)
        validation = self.splits.get(active.record, "validation", size, method.validation_cap)
        recipe = _recipe(active, plan, self.run.precision)
        where = self.run.device
        return train(
            network, recipe, training, validation, momentum=child.momentum, key=key, device=where, on_cycle=on_cycle
        )

    def _manifest(
        self,
        active: ActiveTask,
        child: Child,
        plan: Plan,
        parent: str,
        key: tuple[Any, ...],
        outcome: Outcome,
        facts: Mapping[str, Any],
    ) -> Manifest:
        validation = min(active.record["splits"]["validation"]["examples"], active.method.validation_cap)
        metrics = {name: facts[name] for name in ("score", "accounted_parameters", "flops")}
        return {
            "format": FORMAT,
            "task": active.name,
            "parent": parent,
            "architecture": active.nursery.root["architecture"],
            "layers": dict(child.shared),
            "sizes": child.sizes,
            "momentum": {},
            "hyperparameters": dict(plan.hyperparameters),
            "mutation_probabilities": dict(plan.mutation_probabilities),
            "mutations": [mutation.to_json() for mutation in plan.mutations],
            "method": active.method.name,
            "generation": active.manifest(parent)["generation"] + 1,
            "stream": list(key),
            "precision": self.run.precision,
            "metrics": metrics
            | {"validation_accuracy": facts["accuracy"], "validation_examples": validation}
            | {"cycle": outcome.best_cycle, "accuracies": outcome.accuracies},
        }

    def _store(self, manifest: Manifest, child: Child, outcome: Outcome) -> str:
        """Store a kept child: the layers it trained, a frozen one that is new, its momentum, its manifest."""
        store = self.system.store
        for slot, layer in child.shared.items():
            if not store.has_layer(layer):  # position embeddings of a size that no model had yet
                store.put_layer(child.layers[slot])
        trained = {slot: store.put_layer(tensors) for slot, tensors in outcome.layers.items()}
        momentum = {slot: store.put_layer(tensors) for slot, tensors in outcome.momentum.items()}
        return store.put_model(manifest | {"layers": child.shared | trained, "momentum": momentum})

    def _clock(self, outcome: Outcome, elapsed: float) -> dict[str, float]:
        self.samples += outcome.samples
        seconds = {"train": outcome.train_seconds, "validation": outcome.validation_seconds}
        for part, value in seconds.items():
            self.seconds[part] += value
        return {part: round(value, 4) for part, value in (seconds | {"other": elapsed - sum(seconds.values())}).items()}

    def _test(self, active: ActiveTask) -> dict[str, Any]:
        """Test accuracy of the model about to be retained; a model is tested once. Nothing is ever selected on it."""
        best, known = active.best(), active.record["test"]
        if known and known["model"] == best:
            return known
        manifest = active.manifest(best)
        split = self.splits.get(active.record, "test", manifest["hyperparameters"]["image_size"])
        network = self.system.network(best).to(self.run.device)
        pre = preprocessing_of(self.system, manifest)
        correct, examples = evaluate(network, split, pre, device=self.run.device, precision=self.run.precision)
        return {"model": best, "accuracy": correct / examples, "examples": examples}


def _recipe(active: ActiveTask, plan: Plan, precision: str) -> Recipe:
    """How a child is trained: the hyperparameters of its plan, the budget of the method."""
    settings, method, architecture = plan.hyperparameters, active.method, active.system.architecture
    return Recipe(
        learning_rate=settings["learning_rate"],
        schedule=settings["schedule"],
        warmup_ratio=settings["warmup_ratio"],
        warmup_start=method.warmup_start,
        momentum=settings["momentum"],
        nesterov=settings["nesterov"],
        clip_norm=method.clip_norm,
        cycles=method.cycles,
        samples_per_cycle=method.samples_per_cycle,
        batch_size=method.batch_size,
        keep=method.keep_cycle,
        precision=precision,
        preprocessing=Preprocessing.from_hyperparameters(
            settings, variant=method.preprocessing, mean=architecture.mean, std=architecture.std
        ),
    )


def describe(plan: Plan) -> str:
    """One line on what a plan mutates."""
    words = []
    for mutation in (m.to_json() for m in plan.mutations):
        if mutation["kind"] == "set":
            words.append(f"{mutation['name']} {mutation['old']}→{mutation['new']}")
        else:
            words.append(f"{mutation['kind'].replace('_', ' ')} {mutation['slot']}")
    return ", ".join(words) or "trained further"
