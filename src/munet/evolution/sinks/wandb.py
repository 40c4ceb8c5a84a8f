"""Weights & Biases, and trackio, which is called the same way and keeps everything on this machine."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from munet.evolution.sinks.tracker import Begin


class Project:
    """One run of a project; a resumed one is another there."""

    def __init__(self, library: Any, project: str, run: str, asked: Mapping[str, Any]) -> None:
        self.library = library
        library.init(project=project, name=f"run {run}", config=dict(asked))

    def put(self, numbers: Mapping[str, float], step: int) -> None:
        self.library.log(dict(numbers), step=step)

    def close(self) -> None:
        self.library.finish()


def opened(library: str, project: str) -> Begin:
    """What begins a run of `project` in `wandb` or `trackio`. ModuleNotFoundError where that is not installed."""
    module = import_module(library)
    return lambda run, asked: Project(module, project, run, asked)
