"""Before a run: what it will take, and whether that is wanted."""

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from munet.cli.common import show, show_json
from munet.cli.text.formatting import bytes_text, duration
from munet.errors import InputError
from munet.evolution.work import disk, read, trained_on
from munet.store.run_records import unfinished_of
from munet.text import counted

if TYPE_CHECKING:
    from rich.text import Text

    from munet.evolution.asked import Asked
    from munet.evolution.estimate import Estimate
    from munet.model.loader import ModelLoader
    from munet.system import System

_MEASURED = 60.0  # seconds on a slow processor from which on the speed is measured
_SLOW = 1e10  # FLOPs a second
_TOLD = 600.0  # seconds from which on a shorter run is proposed
_ASKED = 3600.0  # and from which on a person is asked
_PART = re.compile(r"(\d+(?:\.\d+)?)(d|h|m|s|)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}


def parse_time(word: str, option: str = "--time") -> float:
    """Seconds of `90`, `90s`, `10m`, `1.5h` `1h30m` or `7d`. InputError for anything else."""
    text = word.strip().lower()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InputError(f"{option} {word}: write it as 90s, 10m, 2h, 1h30m or 7d")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def agree(
    system: "System",
    asked: "Asked",
    estimate: "Callable[[], Estimate]",
    *,
    image_size: int | None,
    timed: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Say what a run takes; its speed is measured unless it would be short on any machine, and from an hour on a person
    in a terminal is asked.

    Nothing is said of a run that goes on or that has a time: they tell themselves. In JSON nothing is said or asked.
    """
    if as_json or timed or unfinished_of(system.store, asked.tasks):
        return
    if _guess(system.models, asked, image_size) < _MEASURED:
        show(_short_line(system, asked))
        return
    found = estimate()
    show(_forecast_line(system, found))
    if found.seconds >= _TOLD and found.samples:
        show("`--time 10m` does what fits in about ten minutes.")
    if found.seconds >= _ASKED and not yes and sys.stdin.isatty() and sys.stdout.isatty():
        typer.confirm("Go on?", abort=True)


def forecast(system: "System", found: "Estimate", *, as_json: bool) -> None:
    """What `--dry-run` says."""
    if as_json:
        show_json({**asdict(found), "free_disk": _free(system)})
    else:
        show(_forecast_line(system, found))


def _forecast_line(system: "System", found: "Estimate") -> "Text":
    from munet.cli.text.grid import line

    rate = f"{found.speed.rate:,.0f} images a second measured"
    took = f"about {duration(found.seconds)} on this machine ({rate})"
    return line(f"{_samples(found.samples)}: {took}, {_disk(found.disk, system)}")


def _short_line(system: "System", asked: "Asked") -> "Text":
    from munet.cli.text.grid import line

    records = [system.store.read_task(name) for name in asked.tasks]
    samples = sum(trained_on(asked.method, record) for record in records)
    root = sum(system.models.manifest(system.models.root)["sizes"].values())
    return line(f"{_samples(samples)}: about a minute at most, {_disk(disk(asked.method, records, root), system)}")


def _samples(samples: int) -> str:
    return f"{counted(samples, 'image')} to train on" if samples else "nothing to train"


def _disk(needed: int, system: "System") -> str:
    return f"at most {bytes_text(needed)} on disk ({bytes_text(_free(system))} free)"


def _free(system: "System") -> int:
    return shutil.disk_usage(system.path).free


def _guess(models: "ModelLoader", asked: "Asked", image_size: int | None) -> float:
    """Seconds that a run takes on a slow processor, at most."""
    method, flops = asked.method, models.root_flops(image_size)
    records = [models.store.read_task(name) for name in asked.tasks]
    passes = sum(3 * trained_on(method, record) + read(method, record, flops) for record in records)
    return passes * flops / _SLOW
