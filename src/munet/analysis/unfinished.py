"""A run that is not finished: whose it is, how old, how far it came, and what would be lost with it."""

import shlex
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from munet.errors import DamagedError
from munet.store.run_files import is_over, models_of_generation
from munet.store.run_records import generations, is_going_on, read_config, read_generation
from munet.text import counted

if TYPE_CHECKING:
    from munet.store import Store


@dataclass(frozen=True)
class Unfinished:
    """One run. What is `models` and `samples` is what no finished task iteration of it has kept."""

    run: str
    user: str | None  # None: an older version began it
    host: str | None
    started: str  # UTC
    tasks: tuple[str, ...]
    at: tuple[str, ...]  # the tasks that have an open population
    models: int  # accepted in open task iterations
    samples: int  # that these and rejected children were trained on
    going_on: bool  # a process of this machine is at it
    resume: str  # the command that goes on with it

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def whose(self) -> str:
        """`run 0003 of ada@lab (over mnist, begun 2 days ago, at 2026-11-27T20:14:03+00:00)`."""
        of = f" of {self.user}@{self.host}" if self.user else ""
        return f"run {self.run}{of} (over {', '.join(self.tasks)}, begun {_age(self.started)} ago, at {self.started})"

    def lost(self) -> str:
        """What leaving it behind would throw away."""
        return f"{counted(self.models, 'model')} of its open population ({self.samples:,} samples of training)"


def unfinished(store: "Store", run: str) -> Unfinished:
    """What is known of a run that has not ended. Raises DamagedError."""
    config = read_config(store, run)
    tasks = {name: store.read_task(name) for name in store.task_names()}
    children, models = [], set[str]()
    for file, place in generations(store, run):
        if place.task in tasks and is_over(tasks[place.task], run, place.iteration):
            continue
        with suppress(DamagedError):  # fsck tells of that
            record = read_generation(store, run, file)
            children += record["children"]
            models.update(models_of_generation(record))
    opened = {name: active for name, record in tasks.items() if (active := record["active"]) and active["run"] == run}
    models.update(model for active in opened.values() for model in active["population"])
    models -= {record["model"] for record in tasks.values() if record["model"]}
    person = config.get("person") or {}
    return Unfinished(
        run,
        person.get("user"),
        person.get("host"),
        config["started"],
        tuple(config["request"]["tasks"]),
        tuple(opened),
        len(models),
        sum(child["samples"] for child in children),
        is_going_on(store, run),
        shlex.join(["munet", "resume", str(store.path), run]),
    )


def _age(started: str) -> str:
    seconds = (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(max(0, int(seconds)), "second")
