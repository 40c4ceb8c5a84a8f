"""Canned values of the kind that a system returns, and ways to look at what is drawn."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console, RenderableType

from munet.evolution.events import Event, GenerationStarted, RunStarted, TaskStarted
from repo import SOURCES

Run = Callable[..., tuple[int, str, str]]

LONG = "a-name-that-somebody-made-as-long-as-it-could-be-without-thinking-of-terminals"
NAMES = ("mnist", "বাংলা", "漢字の手書き文字", LONG, "[bold]odd[/bold]")


def drawn(renderable: RenderableType, width: int, height: int = 30) -> str:
    """What a terminal of this size shows, without colours."""
    console = Console(
        file=io.StringIO(), width=width, height=height, record=True, force_terminal=True, markup=False, emoji=False
    )
    console.print(renderable)
    return console.export_text()


def fits(text: str, width: int) -> bool:
    return all(cell_len(line) <= width for line in text.splitlines())


def unfolded(text: str) -> str:
    """Without the spaces and line breaks that folding put in."""
    return "".join(text.split())


def task_row(name: str, **changes: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "private": False,
        "classes": 10,
        "iterations": 2,
        "active": False,
        "model": "0123456789abcdef" * 4,
        "claimed": False,
        "train_examples": 57000,
        "validation_examples": 3000,
        "test_examples": 10000,
        "test_accuracy": 0.8123,
        "validation_accuracy": 0.8345,
        "score": 0.8,
        "parameters": 1525006,
        "accounted_parameters": 524288.5,
        "flops": 14.77e6,
        "image_size": 32,
        "num_blocks": 3,
    }
    return row | changes


def fresh_row(name: str, **changes: Any) -> dict[str, Any]:
    """A task that was never evolved."""
    none = ("test_accuracy", "validation_accuracy", "score", "parameters", "accounted_parameters", "flops")
    return task_row(name, **dict.fromkeys((*none, "image_size", "num_blocks", "model")), iterations=0, **changes)


def status_of(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    status = {
        "path": "fleet",
        "format": 1,
        "root": {"id": "f" * 64, "source": "builtin:glyphs"},
        "tasks": list(rows),
        "mean_test_accuracy": 0.8123,
        "unique_parameters": 4_000_000,
        "parameters_per_task": 800_000.0,
        "unfinished_run": None,
        "unfinished": [],
        "missing_tasks": [],
    }
    return status | changes


def opening(tasks: tuple[str, ...] = ("mnist",), **changes: Any) -> list[Event]:
    """Events up to the first generation of three children with two cycles each."""
    clones = tuple({"kind": "clone", "slot": f"block.{k}"} for k in range(2))
    budget: dict[str, Any] = {"task_iterations": 1, "generations": 2, "children": 3, "cycles": 2} | changes
    return [
        RunStarted("0001", "mu2net-plus", tasks, **budget),
        TaskStarted(tasks[0], 0, 57000, 500, None),
        GenerationStarted(tasks[0], 0, 0, (clones, ({"kind": "set", "name": "flip", "old": False, "new": True},), ())),
    ]


def munet(
    *words: str, cwd: Path | None = None, code: str = "from munet.cli import main; main()", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8"
    )
