"""How tasks are trained jointly: rates, penalties, how often they are measured. Values only."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from munet.errors import InputError, suggest

INACTIVE = ("zero", "skip")
UPDATES = ("per-task", "per-round")
UNITS = ("components", "parameters", "flops")
KEEP = ("all", "best")


@dataclass(frozen=True)
class Settings:
    """Of the joint trainer (arXiv 1910.04915). The defaults are those of the published MNIST experiment.

    rounds              every task once in each, in an order drawn anew
    router_learning_rate  of the allocation's logits; None: as `learning_rate`
    l2_penalty          times half the squared norm of all kernels and of the norms' scales and offsets
    l2_norms            False leaves the norms out of it
    budget              share of the routed components that a task may expect to use for nothing
    entropy_penalty     grows over the run as (step / steps) ** entropy_penalty_alpha
    inactive_gradients  "zero": what the task of an update does not use has gradient 0, and Adam moves it on, as the
                        published code does; "skip": it is left alone
    update              "per-task", as published, or "per-round": one update from the mean gradient of all tasks
    evaluate_every      rounds between two evaluations; each leaves a checkpoint
    keep                checkpoints whose weights stay: "all" or "best" (which keeps the allocations of all)
    evaluate_train      measure the training split too, at the end
    """

    rounds: int = 37_500
    batch_size: int = 16
    learning_rate: float = 0.005
    router_learning_rate: float | None = None
    l2_penalty: float = 0.0
    l2_norms: bool = True
    budget: float = 1.0
    budget_penalty: float = 0.0
    budget_unit: str = "components"
    entropy_penalty: float = 0.0
    entropy_penalty_alpha: float = 1.0
    disconnect_penalty: float = 0.0
    connection_penalty: float = 0.0
    inactive_gradients: str = "zero"
    update: str = "per-task"
    evaluate_every: int = 250
    keep: str = "all"
    evaluate_train: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("rounds", "batch_size", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{option(name)} {getattr(self, name)}: give 1 or more")
        for name in ("learning_rate", "router_learning_rate"):
            rate = getattr(self, name)
            if rate is not None and not (math.isfinite(rate) and rate > 0):
                raise InputError(f"{option(name)} {rate}: give a number above 0, for instance 0.005")
        for field in fields(self):
            if field.name.endswith(("_penalty", "_alpha")):
                value = getattr(self, field.name)
                if not (math.isfinite(value) and value >= 0):
                    raise InputError(f"{option(field.name)} {value}: give 0 or more")
        if not 0 < self.budget <= 1:
            raise InputError(f"--budget {self.budget}: a share of the components above 0 and at most 1")
        for name, known in (
            ("inactive_gradients", INACTIVE), ("update", UPDATES), ("budget_unit", UNITS), ("keep", KEEP)
        ):  # fmt: skip
            choose(name, getattr(self, name), known)

    @property
    def router_rate(self) -> float:
        return self.learning_rate if self.router_learning_rate is None else self.router_learning_rate

    def updates(self, tasks: int) -> int:
        """Optimiser updates of the whole run."""
        return self.rounds * (tasks if self.update == "per-task" else 1)

    def changed(self, **values: Any) -> "Settings":
        """A copy with other values. InputError for a name that is none of the settings."""
        known = [field.name for field in fields(self)]
        for name in values:
            if name not in known:
                raise InputError(
                    f"unknown setting '{name}'{suggest(name, known)}; known: {', '.join(known)}", kind="unknown-setting"
                )
        return replace(self, **values)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def option(name: str) -> str:
    """The option of the command line that sets `name`."""
    return f"--{name.replace('_', '-')}"


def choose(name: str, value: str, known: tuple[str, ...]) -> str:
    """`value` if it is one of `known`. InputError that names the option and what it may be."""
    if value not in known:
        raise InputError(f"{option(name)} {value}{suggest(value, known)}: choose one of {', '.join(known)}")
    return value
