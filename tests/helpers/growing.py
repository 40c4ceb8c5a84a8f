"""`munet.evolve` for tests: all options in one row, so that small budgets fit on a line."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import munet
from munet.evolution.events import TaskFinished


def evolve(
    system: munet.System, tasks: Sequence[str] | None = None, method: str = "mu2net-plus", **options: Any
) -> list[TaskFinished]:
    """Options of `munet.evolve`, and fields of its `Budget` and `Where`."""
    parts = {}
    for word, kind in (("budget", munet.Budget), ("where", munet.Where)):
        names = [field.name for field in fields(kind)]
        parts[word] = kind(**{name: options.pop(name) for name in names if name in options})
    return munet.evolve(system, tasks, method, **parts, **options)
