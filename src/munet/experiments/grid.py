"""A grid of runs: methods x seeds of one benchmark at one budget, each in a folder and a system of its own.

OUT/<benchmark>/<budget>/<method>/<seed>/system/         the system
OUT/<benchmark>/<budget>/<method>/<seed>/result.json     there when the run is finished
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from munet.experiments.spec import Spec


@dataclass(frozen=True)
class Run:
    """One cell of a grid."""

    out: Path
    benchmark: str
    budget: str
    spec: Spec
    seed: int

    @property
    def folder(self) -> Path:
        return self.out / self.benchmark / self.budget / self.spec.folder / str(self.seed)

    @property
    def system(self) -> Path:
        return self.folder / "system"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"

    @property
    def finished(self) -> bool:
        return self.result.exists()

    def __str__(self) -> str:
        return f"{self.spec} seed {self.seed}"


def grid(out: Path, benchmark: str, budget: str, specs: Sequence[Spec], seeds: Sequence[int]) -> list[Run]:
    """All runs, seed by seed, so that an interrupted grid has whole rows."""
    return [Run(out, benchmark, budget, spec, seed) for seed in seeds for spec in specs]
