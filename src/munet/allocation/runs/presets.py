"""The experiments' settings as data: presets.toml, read without torch so that the command line can complete names."""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from munet.errors import InputError, suggest

_FILE = Path(__file__).with_name("presets.toml")
SCALED = "scaled"


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def experiments() -> tuple[str, ...]:
    return tuple(_read())


def presets(experiment: str) -> tuple[str, ...]:
    return tuple(name for name, value in _read()[experiment].items() if isinstance(value, dict))


def preset(experiment: str, name: str) -> dict[str, Any]:
    """Settings of an experiment under a preset; `data` and `model` in it are mappings of their own. Those of `paper`
    hold where the preset says nothing else. InputError for an unknown experiment or preset."""
    if experiment not in experiments():
        known = ", ".join(experiments())
        raise InputError(f"unknown experiment '{experiment}'{suggest(experiment, experiments())}; known: {known}")
    known = presets(experiment)
    if name not in known:
        raise InputError(f"--preset {name}{suggest(name, known)}: {experiment} has {', '.join(known)}")
    held = _read()[experiment]
    values = held["paper"] | held[name]
    values["data"] = held["paper"].get("data", {}) | held[name].get("data", {})
    return values


def scaled_temperature(updates: int, minimum: float) -> float:
    """The initial temperature that reaches `minimum` after a fifteenth of the updates, as the published MNIST run does.

    The published schedule is max(minimum, initial / sqrt(updates + 1)); 50 and 0.5 meet after 10,000 updates, which a
    short run never sees.
    """
    return minimum * max(1.0, math.sqrt(updates / 15))
