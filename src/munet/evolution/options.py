"""What a run of `evolve` may spend, and where it is done, as values. Needs no torch."""

from dataclasses import dataclass, fields
from typing import Any

from munet.errors import InputError, suggest

METHOD = "adaptive"  # where none is named
SAMPLES = {"quick": 12_800, "standard": 51_200, "thorough": 204_800}  # of each task


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What each task may spend in a run; None leaves it to the method.

    task_iterations    iterations of each task; each retains one model
    generations        of a task iteration
    children           of a generation
    cycles             of a child: training on at most an epoch, then one validation
    samples_per_cycle  images that a cycle trains on at most
    batch_size         images of a step
    samples_per_task   images that each task is trained on in all: makes cycles so long, whatever the method
    time               seconds that the run may take, in place of samples_per_task: turned into samples by a measurement
    """

    task_iterations: int | None = None
    generations: int | None = None
    children: int | None = None
    cycles: int | None = None
    samples_per_cycle: int | None = None
    batch_size: int | None = None
    samples_per_task: int | None = None
    time: float | None = None

    def __post_init__(self) -> None:
        if self.time is not None and self.samples_per_task is not None:
            raise InputError("a time and samples a task say the same thing: leave one out")
        if self.time is not None and not self.time > 0:
            raise InputError(f"a time of {self.time:g} s: give more than none, for instance 10m")

    @classmethod
    def named(cls, word: str, **more: Any) -> "Budget":
        """The budget of one of the words of `SAMPLES`; InputError for another, and for two answers to one question."""
        if word not in SAMPLES:
            raise InputError(f"unknown budget '{word}'{suggest(word, SAMPLES)}; known: {', '.join(SAMPLES)}")
        for other in ("samples_per_task", "time"):
            if more.get(other) is not None:
                raise InputError(f"the budget '{word}' is {SAMPLES[word]:,} samples a task: leave {other} out")
        return cls(**{**more, "samples_per_task": SAMPLES[word]})

    def overrides(self) -> dict[str, int]:
        """What it says of the settings of a method, by name."""
        others = ("samples_per_task", "time")
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in others}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where and how fast children are trained. Nothing here changes them, but for last bits: `threads` of each child,
    `precision` and the device may show in those, and are recorded.

    device          auto, cpu, cuda, cuda:1, mps
    precision       fp32 or bf16; auto is bf16 on a GPU that computes in it, and with a fused step on a
                    CPU that is faster in it
    executor        local, processes or ray (docs/engine.md); auto fills the machine
    workers         children in training at a time; None: all that fit
    threads         CPU threads of each child
    address         HOST:PORT of a Ray cluster
    gpus_per_child  on Ray: 1, or a part of one
    cache_memory    bytes of cached activations, on each machine or GPU; None: a quarter of its memory
    reuse           False: nothing is cached or shared, which is slow, to compare with
    """

    device: str = "auto"
    precision: str = "auto"
    executor: str = "auto"
    workers: int | None = None
    threads: int | None = None
    address: str | None = None
    gpus_per_child: float | None = None
    cache_memory: int | None = None
    reuse: bool = True

    def to_json(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


FULL = Budget()  # all that the method says
ANYWHERE = Where()
