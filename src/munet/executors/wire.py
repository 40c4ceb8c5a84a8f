"""What a run and a worker process say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from munet.executors.failures import Failure

if TYPE_CHECKING:
    from munet.jobs import Result
    from munet.nursery import Setting


@dataclass(frozen=True)
class Opening:
    """What a worker is to know before its first litter."""

    system: str  # path
    setting: "Setting"
    seen: Mapping[str, tuple[str, str]]  # of `Splits`: what need not be hashed again


@dataclass(frozen=True)
class Cycle:
    """A child was validated."""

    child: int
    cycle: int
    accuracy: float


@dataclass(frozen=True)
class Noted:
    """Something that a person should know."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end of a litter. A `Failure` is the other one."""

    results: "tuple[Result, ...]"


Message = Cycle | Noted | Done | Failure
