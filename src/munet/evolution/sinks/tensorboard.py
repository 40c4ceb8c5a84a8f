"""TensorBoard: a folder for each run, `tensorboard --logdir DIR` shows them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from munet.evolution.sinks.tracker import Begin


class TensorBoard:
    """The event file of a run, begun anew by each session."""

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder))
        rows = "\n".join(f"    {name}: {value}" for name, value in asked.items())
        self.writer.add_text("run", rows)

    def put(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def opened(place: str) -> Begin:
    """What begins a run in the folder `place`. ModuleNotFoundError where TensorBoard is not installed."""
    import tensorboard  # noqa: F401  # torch, which takes seconds, is imported when a run begins

    return lambda run, asked: TensorBoard(Path(place).expanduser() / run, asked)
