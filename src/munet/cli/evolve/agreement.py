"""Before a long run: what it will take, and whether that is wanted."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from munet.cli.common import show
from munet.cli.text.formatting import duration
from munet.errors import InputError
from munet.store.run_records import unfinished_of

if TYPE_CHECKING:
    from munet.evolution.asked import Asked
    from munet.evolution.options import Budget, Where
    from munet.model.loader import ModelLoader
    from munet.system import System

_TOLD = 600.0  # seconds from which on a run is announced
_ASKED = 3600.0  # and from which on it is asked for
_FLOPS = 1e10  # a second, of a slow processor: what is shorter than told even so is not measured
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}


def parse_time(word: str, option: str = "--time") -> float:
    """Seconds of `90`, `90s`, `10m`, `1.5h` or `1h30m`. InputError for anything else."""
    text = word.strip().lower()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InputError(f"{option} {word}: write it as 90s, 10m, 2h or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def agree(
    system: "System",
    tasks: Sequence[str] | None,
    method: str,
    asked: "Asked",
    *,
    budget: "Budget",
    where: "Where",
    image_size: int | None,
    preprocessing: str,
    settings: Mapping[str, Any],
    yes: bool,
    quiet: bool,
) -> None:
    """Say how long a run takes where that is over ten minutes, and ask a person in a terminal from an hour on.

    Nothing is said of a run that goes on: its view knows better. `quiet` says nothing at all, and never asks.
    """
    store = system.store
    if quiet or budget.time is not None or unfinished_of(store, asked.tasks):
        return
    if _guess(system.models, asked, image_size) < _TOLD:
        return
    from munet.cli.text.grid import line
    from munet.evolution.start import estimate

    found = estimate(
        system, tasks, method, budget=budget, where=where,
        image_size=image_size, preprocessing=preprocessing, settings=settings,
    )  # fmt: skip
    if found.seconds < _TOLD:
        return
    rate = f"{found.samples:,} images to train on, {found.speed.rate:,.0f} a second measured"
    show(line(f"This takes about {duration(found.seconds)}: {rate}. `--time 10m` does what fits in about ten minutes."))
    if found.seconds >= _ASKED and not yes and sys.stdin.isatty() and sys.stdout.isatty():
        typer.confirm("Go on?", abort=True)


def _guess(models: "ModelLoader", asked: "Asked", image_size: int | None) -> float:
    """Seconds that a run takes on a slow processor, at most."""
    from munet.model.cost import flops
    from munet.model.slots import blocks_in

    method, root = asked.method, models.manifest(models.root)
    size = image_size or root["hyperparameters"]["image_size"]
    step = 3 * flops(models.architecture, blocks_in(root["layers"]), size, 2)
    return step * method.child_cycles * method.samples_per_cycle * len(asked.tasks) / _FLOPS
