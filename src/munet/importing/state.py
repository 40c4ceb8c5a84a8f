"""A published system in one form, whichever of the three codes wrote it: its models, and where their tensors are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from munet.importing.csv_table import Row

Key = tuple[str, int]
"""(agent, number) of a model or a component; the agent is "" where one process wrote the whole system."""


@dataclass(frozen=True)
class Model:
    """A row of population.csv, published.csv or paths.csv: a "path", as the papers' code calls a model."""

    key: Key
    task: str | None  # as published; None for a root
    parent: Key | None
    row: Row
    score: float | None
    accounted: float | None  # parameters, counted again when the system was saved
    cycle: int | None = None  # of its agent, in which it was sampled; None where only the order of ids tells

    @property
    def components(self) -> list[Key]:
        """In the order in which the model computes, about."""
        text = self.row.text("components") or ""
        if self.key[0]:
            return [self._component(word) for word in text.split(",")]
        return [self._component(word) for word in text.split("_")]

    def _component(self, word: str) -> Key:
        agent, _, number = word.strip().rpartition(":")
        # a column of single ids, as a root without blocks never has, would come back from pandas as 7.0
        if not number.isdecimal() or bool(agent) != bool(self.key[0]):
            wanted = "agent:number, joined by ','" if self.key[0] else "numbers joined by '_'"
            raise self.row.wrong("components", wanted)
        return agent, int(number)

    @property
    def settings(self) -> dict[str, Any]:
        """Hyperparameters under their published names."""
        return self.row.group("hparams.")

    @property
    def name(self) -> str:
        """What to call it in an error."""
        of = "the root" if self.task is None else f"task {self.task}"
        return f"path {key_text(self.key)} of {of} ({self.row.place})"


@dataclass(frozen=True)
class State:
    """A published system as its tables tell it. Nothing is checked against the tensors yet."""

    format: str  # munet, mu2net or mu3net: whose code wrote it
    folder: Path
    population: list[Model]
    paths: list[Model]  # every model ever sampled
    names: Mapping[Key, str]  # component -> its name, by components.csv
    checkpoints: list[Path]
    config: Any = None
    notes: list[str] = field(default_factory=list)


def key_text(key: Key) -> str:
    """`17`, or `Vit~mnist:17` where there are agents."""
    return f"{key[0]}:{key[1]}" if key[0] else str(key[1])
