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
    samples_per_task: int = 12_800
    cycles: int = 8
    batch_size: int = 32
    check: Callable[[], None] = check_available  # raises InputError before anything is written
    tasks: Callable[[Path], list[str]] = write_tasks

    def arguments(self, method: str) -> dict[str, Any]:
        """Arguments of `evolve` for a method: one child a task, all of its samples on one schedule."""
        budget = Budget(cycles=self.cycles, batch_size=self.batch_size, samples_per_task=self.samples_per_task)
        if method == "finetune-full":
            one = Budget(**{**asdict(budget), "task_iterations": 1, "generations": 1, "children": 1})
            return {"method": method, "budget": one, "settings": NO_PREPROCESSING}
        return {"method": method, "budget": budget}

    def to_json(self) -> dict[str, Any]:
        """The numbers, without where the images come from."""
        return {name: value for name, value in asdict(self).items() if name not in ("check", "tasks")}
