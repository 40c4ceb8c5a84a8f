"""Footnotes of tables: notes of tasks, and what makes runs hard to compare."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from munet.experiments.results.read import Runs, tasks_of


@dataclass
class Footnotes:
    """The notes of tasks, numbered from 1. A number is set wherever a value of that task goes in."""

    runs: Runs
    _numbers: dict[str, int] = field(default_factory=dict)
    _by_task: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for task in (task for results in self.runs.values() for result in results for task in result.tasks):
            if task.note:
                number = self._numbers.setdefault(f"{task.name}: {task.note}", len(self._numbers) + 1)
                self._by_task.setdefault(task.name, set()).add(number)

    @property
    def texts(self) -> tuple[str, ...]:
        """Footnote 1, 2, ..."""
        return tuple(self._numbers)

    def marks(self, tasks: Iterable[str]) -> tuple[int, ...]:
        """Footnotes of a value into which these tasks go."""
        return tuple(sorted(set().union(*(self._by_task.get(task, set()) for task in tasks))))


def remarks_of(runs: Runs) -> tuple[str, ...]:
    """What a reader must know before comparing methods."""
    remarks = [
        "Max, mean, range and std (population standard deviation) of test accuracy are over seeds, each of the mean "
        "over tasks. The other values are means over seeds.",
        "Device hours and FLOPs spent are those of all tasks together; FLOPs are what training and validation take in "
        "plain loops.",
    ]
    if len({tuple(sorted(result.seed for result in results)) for results in runs.values()}) > 1:
        remarks.append("Not every method has the same seeds.")
    devices = sorted({f"{result.device} {result.precision}" for results in runs.values() for result in results})
    if len(devices) > 1:
        remarks.append(f"Device hours are of different devices and cannot be compared: {', '.join(devices)}.")
    return (*remarks, *tasks_differ(runs), *_images_differ(runs))


def tasks_differ(runs: Runs) -> tuple[str, ...]:
    """Methods of which a run lacks tasks that others have: means are then over different tasks."""
    every = set(tasks_of(runs))
    short = [name for name, results in runs.items() if any(set(r.accuracies("test")) != every for r in results)]
    return (f"Means are not all over the same tasks; some are missing in: {', '.join(short)}.",) if short else ()


def _images_differ(runs: Runs) -> tuple[str, ...]:
    """Tasks whose test or validation images are not the same in all runs."""
    seen: dict[str, set[str]] = {}
    for task in (task for results in runs.values() for result in results for task in result.tasks):
        for part in ("test", "validation"):
            if fingerprint := task.splits.get(part, {}).get("fingerprint"):
                seen.setdefault(f"{task.name} ({part})", set()).add(str(fingerprint))
    differ = [name for name, fingerprints in seen.items() if len(fingerprints) > 1]
    return (f"Runs were measured on different images of: {', '.join(differ)}.",) if differ else ()
