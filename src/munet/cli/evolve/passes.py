"""Work counted in forward passes of the root on one image, and the seconds that it took."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Work:
    """Forward passes of the root."""

    trained: float = 0.0
    read: float = 0.0
    fitted: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.trained + other.trained, self.read + other.read, self.fitted + other.fitted)

    def __mul__(self, times: float) -> "Work":
        return Work(self.trained * times, self.read * times, self.fitted * times)

    @property
    def passes(self) -> float:
        return self.trained + self.read + self.fitted


@dataclass
class Spent:
    """Seconds, and the work that was done in them."""

    seconds: float = 0.0
    work: Work = field(default_factory=Work)

    def add(self, seconds: float, work: Work) -> None:
        self.seconds += seconds
        self.work += work
