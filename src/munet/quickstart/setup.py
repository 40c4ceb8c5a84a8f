"""What the quickstart grows, and at which budget: the same number of training images for every method."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from munet.evolution.options import Budget
from munet.quickstart.data import check_available, write_tasks

# Random crops and flips cost small characters more than they bring, so that baselines start without them, as
# mu2Net+ does.
NO_PREPROCESSING = {"defaults.crop_area_min": 1.0, "defaults.crop_aspect_min": 1.0, "defaults.flip": False}


@dataclass(frozen=True)
class Setup:
    """A root, tasks, a budget. `tasks` writes the archives of all tasks into a folder; the last is added later."""

    root: str = "builtin:glyphs"
    depth: int | None = None
    image_size: int | None = None
    task_iterations: int = 3
    generations: int = 1
    children: int = 4
    cycles: int = 3
    samples_per_cycle: int = 512
    batch_size: int = 32
    check: Callable[[], None] = check_available  # raises InputError before anything is written
    tasks: Callable[[Path], list[str]] = write_tasks

    @property
    def child_cycles(self) -> int:
        """Cycles of training that each task gets, by every method."""
        return self.task_iterations * self.generations * self.children * self.cycles

    def grown(self) -> dict[str, Any]:
        """Arguments of `evolve` for the system."""
        names = ("task_iterations", "generations", "children", "cycles", "samples_per_cycle", "batch_size")
        return {"method": "mu2net-plus", "budget": Budget(**{name: getattr(self, name) for name in names})}

    def baseline(self, method: str) -> dict[str, Any]:
        """Arguments of `evolve` for a baseline: one child, all cycles on one schedule, no random preprocessing."""
        return {
            "method": method,
            "budget": Budget(
                task_iterations=1,
                generations=1,
                children=1,
                cycles=self.child_cycles,
                samples_per_cycle=self.samples_per_cycle,
                batch_size=self.batch_size,
            ),
            "settings": NO_PREPROCESSING,
        }

    def to_json(self) -> dict[str, Any]:
        """The numbers, without where the images come from."""
        return {name: value for name, value in asdict(self).items() if name not in ("check", "tasks")}
