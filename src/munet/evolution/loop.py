"""Evolution of a multitask system (mu2Net+ Algorithm 1): sample -> mutate -> train -> score -> accept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from munet.evolution.active_task import ActiveTask
from munet.evolution.child import SampledChild, cost_of, job_of, judge, keep, manifest_of, record_of, sample_generation
from munet.evolution.child_trainer import ComputeSettings
from munet.evolution.computed import evidence_of
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    GenerationStarted,
    Notice,
    Observer,
    RunFinished,
    SharesExpected,
    SharesPlanned,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
)
from munet.evolution.executors import Executor
from munet.evolution.executors.base import OnCycle
from munet.evolution.guessing import nothing_learned
from munet.evolution.jobs import Result, group_jobs
from munet.evolution.older import OlderModels
from munet.evolution.probe import Prober
from munet.evolution.run_started import run_started
from munet.evolution.runs import Run, read_generation, write_generation, write_iteration
from munet.evolution.shares import (
    expected_samples,
    head_evidence,
    is_new,
    method_for,
    new_tasks,
    samples_by_task,
)
from munet.evolution.testing import tested
from munet.evolution.trunk import is_trained, is_worse_together, plan_members, trunk_group
from munet.model.loader import ModelLoader
from munet.provenance import now
from munet.search.adaptive import Evidence
from munet.store.gc import collect
from munet.store.run_records import checkpoint_path, finish
from munet.store.schema import ChildRecord, ModelTest, finished_record
from munet.tasks.cache.splits import Splits
from munet.training import Outcome

Position = tuple[str, int, int]  # task, task iteration in this run, generation


class Evolution:
    """One run of `evolve`: task iterations over tasks, generations over a task, children over a generation."""

    def __init__(
        self,
        models: ModelLoader,
        run: Run,
        splits: Splits,
        compute: ComputeSettings,
        executor: Executor,
        observe: Observer,
        *,
        speed: float = 0.0,
    ) -> None:
        """`speed`: images that are trained on in a second, by a measurement of late; 0 where there is none."""
        self.models, self.store = models, models.store
        self.run = run
        self.splits = splits
        self.compute = compute
        self.executor = executor
        self.observe = observe
        self.speed = speed
        method = run.method
        self.prober = Prober(models, splits, compute, run.request.precision, method.step)
        probed = (method.parents, method.clone, method.recipe, method.training, method.head_features)
        self.older = OlderModels(models, run, splits)
        self.root_parameters = sum(models.manifest(models.root)["sizes"].values())
        self.computes = "probe" in probed or method.head_first  # the first child of each task
        self.iterations = method.task_iterations + method.head_first  # of each task
        self.shares: dict[str, int] = {}  # samples of the tasks that are new in this iteration
        self.samples = 0
        self.probing = 0.0  # seconds of evidence that no child's record holds yet
        self.seconds = {"train": 0.0, "validation": 0.0, "test": 0.0}

    def go(self) -> list[TaskFinished]:
        """Whatever of the run is not done yet."""
        began, run, method = perf_counter(), self.run, self.run.method
        self.observe(run_started(self.models, run, self.splits, self.speed))
        for text in self.splits.notes:
            self.observe(Notice(text))
        results = self._make_heads() if method.head_first else []
        for iteration in range(int(method.head_first), self.iterations):
            if iteration == int(method.head_first):
                self._begin_training(iteration)
            results += [self.evolve_task(name, iteration) for name in self._open_tasks(iteration)]
        finish(self.store, run.name, finished_record(now(), abandoned=False))
        self.observe(RunFinished(run.name, perf_counter() - began, **self._spent()))
        return results

    def _open_tasks(self, iteration: int) -> list[str]:
        """The tasks that have not ended this iteration of the run, in the method's order."""
        records = {name: self.store.read_task(name) for name in self.run.tasks}
        names = [name for name, record in records.items() if not self.run.has_finished(record, iteration)]
        if self.run.method.head_first and iteration == 0:
            names = [name for name in names if records[name]["model"] is None or "older" in records[name]]
        if self.run.method.order == "most-classes":
            names.sort(key=lambda name: (-len(records[name]["classes"]), -records[name]["splits"]["train"]["examples"]))
        return names

    def _spent(self) -> dict[str, Any]:
        seconds = {f"{part}_seconds": value for part, value in self.seconds.items()}
        return {**seconds, "samples": self.samples}

    def evolve_task(self, name: str, iteration: int) -> TaskFinished:
        """One task iteration: all generations, then the best model is retained, tested, and owns its layers."""
        untrained = self.run.method.head_first and iteration == 0
        if untrained:
            method = self.run.method.model_copy(update={"generations": 1})
        else:
            method = method_for(self.run, self.store, name, iteration, self.shares)
        active = ActiveTask(self.models, self.run, name, method=method, untrained=untrained)
        before = active.record["model"]
        if active.older is not None:
            now = self.older.accuracy(active, active.older["model"])
            active.measured_now(active.older["model"], now)
        self._announce(active, iteration)
        for generation in range(active.generation, active.method.generations):
            active.open(iteration, generation)
            self._train_generation(active, (name, iteration, generation))
        best = active.best() if active.population else None
        improved = best is not None and _is_better(active, best, before)
        test = self._test(active, best) if best else None
        if active.older is not None and best:
            self._note(self.older.told(active, best))
        write_iteration(self.store, self.run, name, iteration, best, test)
        active.retain(iteration, best, test)
        collect(self.store, [*active.population, *sorted(active.met)])
        validation = active.manifest(best)["metrics"]["validation_accuracy"] if best else None
        accuracy = test["accuracy"] if test else None
        if best and validation is not None and iteration == self.iterations - 1:
            self._warn(active, validation, active.manifest(best)["hyperparameters"]["image_size"])
        finished = TaskFinished(name, iteration, best, validation, accuracy, improved=improved)
        self.observe(finished)
        return finished

    def _warn(self, active: ActiveTask, accuracy: float, image_size: int) -> None:
        split = self.splits.get(active.record, "validation", image_size, active.method.validation_cap)
        if text := nothing_learned(accuracy, np.asarray(split.labels)):
            self._note(f"{active.name}: {text}")

    def _make_heads(self) -> list[TaskFinished]:
        """The first task iteration, which trains nothing. What the heads so far say of the shares to come is told."""
        results, found = list[TaskFinished](), dict[str, Evidence]()
        new = [name for name in self.run.tasks if is_new(self.store, name)]
        for name in new:  # whose head an earlier session has made
            found |= head_evidence(self.store, self.run, name)
        for name in self._open_tasks(0):
            results.append(self.evolve_task(name, 0))
            found |= head_evidence(self.store, self.run, name) if name in new else {}
            if found and self.iterations > 1:
                samples = expected_samples(self.run.method, found, new, self.root_parameters)
                self.observe(SharesExpected(1, tuple(samples.items())))
        return results

    def _begin_training(self, iteration: int) -> None:
        """What concerns several new tasks at once: how they divide their samples, and a trunk for all of them."""
        method = self.run.method
        if not method.together and method.shares == "equal":
            return
        began = perf_counter()
        evidence = new_tasks(self.store, self.run, iteration, self._probe)
        self.probing = perf_counter() - began
        self.shares = samples_by_task(method, evidence, self.root_parameters)
        if evidence:
            self.observe(SharesPlanned(iteration, tuple((name, self.shares.get(name, 0)) for name in evidence)))
        if method.together and len(self.shares) > 1:
            self._train_trunk(iteration, list(self.shares), evidence)

    def _train_trunk(self, iteration: int, names: Sequence[str], evidence: Mapping[str, Evidence]) -> None:
        """Train one trunk for tasks that are new, unless an interrupted run has; each gets its path as a child."""
        if is_trained(self.store, self.run, names, iteration):
            return
        actives = [ActiveTask(self.models, self.run, name) for name in names]
        members = plan_members(actives, evidence, self.shares)
        shares = tuple(member.share for member in members)
        self.observe(TrunkStarted(tuple(names), iteration, self.run.method.cycles, shares))
        checkpoint = checkpoint_path(self.store, self.run.name)
        group = trunk_group(members, sum(self.shares.values()), checkpoint)
        results = list(self.executor.run([group], self._trunk_cycle(iteration, len(names)), self._note))
        ordered = sorted(results, key=lambda result: result.number)
        trunk = {slot: data for slot, data in ordered[0].layers.items() if slot != "head"}
        for member, result in zip(members, ordered, strict=True):
            whole = replace(result, layers={**trunk, **result.layers})
            position = (member.active.name, iteration, 0)
            self._finish(member.active, position, member.sampled, whole, {}, together=names)
        if self.store.files.has(checkpoint):
            self.store.files.remove(checkpoint)

    def _trunk_cycle(self, iteration: int, tasks: int) -> OnCycle:
        """Tells of a cycle when the accuracies of all tasks are there."""
        found: dict[int, dict[int, float]] = {}

        def tell(number: int, cycle: int, accuracy: float) -> None:
            mine = found.setdefault(cycle, {})
            mine[number] = accuracy
            if len(mine) == tasks:
                self.observe(TrunkCycle(iteration, cycle, tuple(mine[task] for task in range(tasks))))

        return tell

    def _note(self, text: str) -> None:
        self.observe(Notice(text))

    def _probe(self, name: str) -> Evidence:
        with self.store.commit():  # nobody lets go of what other tasks retain while it is probed
            return evidence_of(ActiveTask(self.models, self.run, name), self.prober)

    def _train_generation(self, active: ActiveTask, position: Position) -> None:
        """Draw the children of a generation, train those that an interrupted run has not, and let the good ones in."""
        records = {record["child"]: record for record in read_generation(self.store, self.run, *position)}
        drawn = self._sampled(active, position[2], records)
        made = {number: tuple(record["mutations"]) for number, record in records.items()}
        made |= {s.number: tuple(mutation.to_json() for mutation in s.plan.mutations) for s in drawn.values()}
        mutations = tuple(made[number] for number in sorted(made))
        unknown = (3.0, 1.0)  # of children that an earlier session trained
        costs = tuple(cost_of(active, drawn[number]) if number in drawn else unknown for number in sorted(made))
        self.observe(GenerationStarted(*position, mutations, tuple(sorted(records)), costs))
        for result in self._train(
            active, position, [sampled for number, sampled in drawn.items() if number not in records]
        ):
            self._finish(active, position, drawn[result.number], result, records)
        active.close_generation([records[number] for number in sorted(records)])

    def _sampled(
        self, active: ActiveTask, generation: int, records: Mapping[int, ChildRecord]
    ) -> dict[int, SampledChild]:
        """The children of a generation by number. Where a trunk gave the first, a task has another only if it is worse
        off with that."""
        together = records.get(0, {}).get("together")
        if together and not is_worse_together(records[0], active):
            return {}
        began = perf_counter()
        drawn = sample_generation(active, generation, self.prober if self.computes else None)
        self.probing = perf_counter() - began
        only_head = [s.plan.cloned for s in drawn] == [{"head"}] and drawn[0].parent == self.models.root
        again = active.older is not None and (active.untrained or not self.run.method.head_first)  # for other images
        if only_head and active.population and not again:
            error = f"{100 * drawn[0].evidence.root.error:.1f} %" if drawn[0].evidence else "few"
            self._note(f"{active.name}: training is not expected to beat its head ({error} errors in the probe)")
            return {}
        return {s.number + 1: replace(s, number=s.number + 1) for s in drawn} if together else dict(enumerate(drawn))

    def _train(self, active: ActiveTask, position: Position, drawn: Sequence[SampledChild]) -> Iterator[Result]:
        """Results in the order in which the executor has them: none depends on it."""
        groups = group_jobs(
            active.record,
            [job_of(active, sampled) for sampled in drawn],
            order=active.order(position[2]) if active.method.data_order == "generation" else None,
            together=self.compute.reuse,
            validation_cap=active.method.validation_cap,
            workers=self.executor.workers,
            memory=self.compute.cache_memory,
        )
        return self.executor.run(
            groups,
            lambda child, cycle, accuracy: self.observe(CycleFinished(*position, child, cycle, accuracy)),
            self._note,
        )

    def _announce(self, active: ActiveTask, iteration: int) -> None:
        splits, model = active.record["splits"], active.record["model"]
        best = active.manifest(model)["metrics"]["validation_accuracy"] if model else None
        self.observe(TaskStarted(active.name, iteration, splits["train"]["examples"], active.validation_examples, best))

    def _finish(
        self,
        active: ActiveTask,
        position: Position,
        sampled: SampledChild,
        result: Result,
        records: dict[int, ChildRecord],
        together: Sequence[str] = (),
    ) -> None:
        """Judge a trained child and keep it if it deserves it; its record joins its siblings' on disk at once."""
        verdict, clock = judge(active, sampled, result, together), perf_counter()
        record = record_of(active, sampled, result, verdict)
        record["seconds"]["other"] += self.probing
        self.probing = 0.0
        if together:
            record["together"] = list(together)
        with self.store.commit():
            if verdict["accepted"]:
                record["model"] = keep(active, sampled, result, manifest_of(active, sampled, result, verdict))
            record["finished"] = now()
            seen = None if together else active.seen  # a path through a trunk is a child of the root
            record["seconds"]["other"] += perf_counter() - clock
            records[sampled.number] = record
            write_generation(self.store, self.run, *position, [records[number] for number in sorted(records)], seen)
        self._count(result.outcome)
        if together:  # its task iteration tells of it
            return
        scores = [other["score"] for other in records.values() if other["accepted"] and other is not record]
        rivals = [candidate.score for candidate in active.candidates()] + [one for one in scores if one is not None]
        mine = verdict["score"]
        best = verdict["accepted"] and mine is not None and mine >= max(rivals, default=0.0)
        verdict_fields = (verdict["accepted"], best, verdict["accuracy"], mine, verdict["reason"])
        self.observe(ChildFinished(*position, sampled.number, *verdict_fields, record))

    def _count(self, outcome: Outcome) -> None:
        self.samples += outcome.samples
        self.seconds["train"] += outcome.train_seconds
        self.seconds["validation"] += outcome.validation_seconds

    def _test(self, active: ActiveTask, best: str) -> ModelTest:
        clock = perf_counter()
        test = tested(self.models, self.run, self.splits, active, best)
        self.seconds["test"] += perf_counter() - clock
        return test


def _is_better(active: ActiveTask, best: str, before: str | None) -> bool:
    """Whether the model that is retained scores higher than the one before, as things stand now."""
    if before is None or best == before:
        return best != before
    return active.score(active.manifest(best)) > active.score(active.manifest(before))
