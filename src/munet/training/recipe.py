"""How a child is trained, as a value."""

from dataclasses import dataclass
from typing import Literal

from munet.errors import InputError
from munet.training.precision import check_precision
from munet.training.preprocessing import Preprocessing
from munet.training.schedules import learning_rate_at


@dataclass(frozen=True)
class Recipe:
    """How a child is trained. Raises InputError for a value that cannot be."""

    learning_rate: float
    preprocessing: Preprocessing
    cycles: int
    samples_per_cycle: int
    batch_size: int
    schedule: str = "cosine"
    warmup_ratio: float = 0.1
    warmup_start: float = 0.01  # first learning rate of the warm-up, times the peak
    momentum: float = 0.9
    nesterov: bool = False
    clip_norm: float | None = 1.0
    at_most_epoch: bool = True  # a cycle is an epoch where that is less
    keep: Literal["earlier", "later", "last"] = "earlier"  # among cycles of equal validation accuracy; or the last one
    margin: float = 0.0  # taken from the logit of the right class in training
    precision: str = "fp32"
    step: Literal["plain", "fused"] = "plain"  # the form of a network's blocks: see `munet.model.block`
    optimiser: Literal["sgd", "adamw"] = "sgd"
    weight_decay: float = 0.0  # of AdamW, in units of the learning rate; none for norms, biases and tokens
    layer_decay: float = 1.0  # the learning rate of a block, times that of the block above it
    head_rate: float = 1.0  # the learning rate of the head, times that of the others

    def __post_init__(self) -> None:
        for name in ("cycles", "samples_per_cycle", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.keep not in ("earlier", "later", "last"):
            raise InputError(f"keep is '{self.keep}'; it must be earlier, later or last")
        if self.margin < 0:
            raise InputError(f"margin is {self.margin}; it must be 0 or more")
        if self.step not in ("plain", "fused"):
            raise InputError(f"step is '{self.step}'; it must be plain or fused")
        if self.optimiser not in ("sgd", "adamw"):
            raise InputError(f"optimiser is '{self.optimiser}'; it must be sgd or adamw")
        if self.weight_decay < 0 or (self.weight_decay and self.optimiser == "sgd"):
            raise InputError(f"weight_decay is {self.weight_decay}; it must be 0 or more, and 0 for the optimiser sgd")
        if not 0 < self.layer_decay <= 1:
            raise InputError(f"layer_decay is {self.layer_decay}; it must lie in (0, 1], and 1 switches it off")
        if not self.head_rate > 0:
            raise InputError(f"head_rate is {self.head_rate}; it must lie above 0, and 1 switches it off")
        for name in ("warmup_ratio", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie in [0, 1)")
        self.rate(0, 1)
        check_precision(self.precision)

    def samples(self, examples: int) -> int:
        """Training samples of one cycle on a task with so many examples."""
        return min(examples, self.samples_per_cycle) if self.at_most_epoch else self.samples_per_cycle

    def steps(self, examples: int) -> int:
        """Steps of one cycle; the last may have a smaller batch."""
        return -(-self.samples(examples) // self.batch_size)

    def rate(self, step: int, steps_per_cycle: int) -> float:
        """Learning rate of a step, counted from 0 at the start of the child."""
        return learning_rate_at(
            step,
            schedule=self.schedule,
            learning_rate=self.learning_rate,
            warmup_ratio=self.warmup_ratio,
            warmup_start=self.warmup_start,
            steps_per_cycle=steps_per_cycle,
            cycles=self.cycles,
        )
