"""Continual extension: one system that grows through a sequence of segments (mu2Net+ sec. 5), written down as TOML.

A segment evolves the tasks of some benchmarks with one method, run by run; each run is one task iteration
of every task. It ends after a number of runs, or when one gains next to nothing. Tasks that the system lacks are added
when a segment needs them first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.analysis.model_history import iterations
from munet.catalog import Benchmark, load_benchmark
from munet.errors import InputError, suggest
from munet.experiments.budgets import load_budget, settings_for
from munet.experiments.spec import Spec
from munet.fs.decoding import DecodingError, decode_toml
from munet.store.derived import retained, totals
from munet.store.run_records import ended_by_itself

if TYPE_CHECKING:
    from munet.system import System

_KEYS = {"name", "benchmarks", "method", "budget", "task_iterations", "until_gain_below", "at_most", "references"}


@dataclass(frozen=True)
class Segment:
    """`task_iterations` of each task; fewer, once one gains less mean validation accuracy than `until_gain_below`."""

    name: str
    benchmarks: tuple[str, ...]
    spec: Spec
    budget: str
    task_iterations: int
    until_gain_below: float | None = None
    references: float | None = None  # P and F as multiples of the system's averages when the segment begins

    def tasks(self) -> list[str]:
        """Names of its tasks, each once: benchmarks may share some."""
        names = [task.name for name in self.benchmarks for task in load_benchmark(name).tasks]
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Sequence:
    """Segments in their order."""

    name: str
    segments: tuple[Segment, ...]

    def benchmark(self) -> Benchmark:
        """All tasks of all segments as one benchmark, with the root of the first."""
        tasks = {t.name: t for s in self.segments for name in s.benchmarks for t in load_benchmark(name).tasks}
        return replace(load_benchmark(self.segments[0].benchmarks[0]), name=self.name, tasks=tuple(tasks.values()))


@dataclass(frozen=True)
class SegmentRun:
    """One run of a segment: a task iteration of each of its tasks. `run` is its name once it is over, else None."""

    segment: Segment
    number: int
    run: str | None


def sequence_names() -> list[str]:
    """Names of the sequences that ship with munet."""
    folder = files("munet.experiments").joinpath("sequences")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_sequence(name: str) -> Sequence:
    """A sequence by its name, or from a file ending in .toml. InputError in one line for whatever cannot be."""
    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise InputError(f"cannot read sequence {name}: {reason}") from None
    elif name in sequence_names():
        text = files("munet.experiments").joinpath("sequences", f"{name}.toml").read_text(encoding="utf-8")
    else:
        known = sequence_names()
        raise InputError(f"unknown sequence '{name}'{suggest(name, known)}; known: {', '.join(known)}, or a .toml file")
    try:
        entries = decode_toml(text).get("segment", [])
    except DecodingError as error:
        raise InputError(f"sequence {name} is not valid TOML: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise InputError(f"sequence {name} has no [[segment]]")
    return Sequence(Path(name).stem, tuple(_segment(name, number, entry) for number, entry in enumerate(entries, 1)))


def _segment(sequence: str, number: int, entry: dict[str, Any]) -> Segment:
    where = f"sequence {sequence}, segment {entry.get('name', number)}"
    for key in entry:
        if key not in _KEYS:
            raise InputError(f"{where}: unknown key '{key}'{suggest(key, _KEYS)}")
    for key in ("benchmarks", "method"):
        if not entry.get(key):
            raise InputError(f"{where}: '{key}' is missing")
    until = entry.get("until_gain_below")
    key = "task_iterations" if until is None else "at_most"
    task_iterations = entry.get(key, 1)
    if not isinstance(task_iterations, int) or task_iterations < 1:
        raise InputError(f"{where}: {key} is {task_iterations!r}; it must be a whole number above 0")
    segment = Segment(
        name=str(entry.get("name", number)),
        benchmarks=tuple(entry["benchmarks"]),
        spec=Spec.parse(entry["method"]),
        budget=entry.get("budget", "mini"),
        task_iterations=task_iterations,
        until_gain_below=until,
        references=entry.get("references"),
    )
    for benchmark in segment.benchmarks:
        load_benchmark(benchmark)
    load_budget(segment.budget)
    return segment


def segment_runs(sequence: Sequence, system: "System") -> Iterator[SegmentRun]:
    """All runs in their order. Those that are over come with their name; each other must end before the next.

    Runs are matched by their order, so the system must have no others.
    """
    runs = iter([run for run in system.store.runs() if ended_by_itself(system.store, run)])
    for segment in sequence.segments:
        before: float | None = None
        for number in range(segment.task_iterations):
            run = next(runs, None)
            yield SegmentRun(segment, number, run)
            if run is None:
                run = [name for name in system.store.runs() if ended_by_itself(system.store, name)][-1]
            now = _mean_validation(system, run)
            if segment.until_gain_below is not None and before is not None and now - before < segment.until_gain_below:
                break
            before = now


def settings_of(one: SegmentRun, system: "System") -> dict[str, Any]:
    """What to ask of `munet.evolve` for a run of a segment, `method` apart."""
    segment = one.segment
    benchmark = load_benchmark(segment.benchmarks[0])
    settings = settings_for(segment.spec, load_budget(segment.budget), benchmark)
    # the samples of a cycle follow from all task iterations of the budget; of these a run takes one
    settings["task_iterations"] = 1
    if segment.references is not None:
        parameters, flops = _averages_before(one, system)
        settings["parameters_reference"] = segment.references * parameters
        if segment.spec.method().flops_reference is not None:
            settings["flops_reference"] = segment.references * flops
    return settings


def _averages_before(one: SegmentRun, system: "System") -> tuple[float, float]:
    """Parameters and FLOPs per task of the system when the segment began."""
    ended = [record for record in iterations(system.store) if ended_by_itself(system.store, record["run"])]
    earlier = {record["run"] for record in ended}
    own = sorted(earlier)[len(earlier) - one.number :]
    before = [record["system"] for record in ended if record["run"] not in own]
    known = before[-1] if before else totals(retained(system.store), {})
    parameters, flops = known["parameters_per_task"], known["flops_per_task"]
    if parameters is None or flops is None:
        raise InputError(f"segment {one.segment.name}: references need a system that has models already")
    return parameters, flops


def _mean_validation(system: "System", run: str) -> float:
    """Mean validation accuracy over the tasks of a run, after it."""
    own = [record["validation_accuracy"] for record in iterations(system.store) if record["run"] == run]
    found = [accuracy for accuracy in own if accuracy is not None]  # of the tasks that retained a model
    return sum(found) / max(1, len(found))
