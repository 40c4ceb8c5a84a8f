"""A training step as one CUDA graph: a single launch in place of the hundreds that bound small networks.

A graph replays what was recorded, on the same memory. So it is recorded with inputs of its own, into which each batch
is copied, and once for every shape of a batch.
"""

from collections.abc import Callable, Sequence

import torch

Work = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], None]
"""A step (activations, labels, learning rate as a 0-dim tensor) that neither waits for the device nor moves memory."""

WORTH = 24  # steps below which recording and its check cost more than they save
_WARM_UP = 3  # steps before a recording, in which libraries set themselves up
_TOLERANCE = 1e-3  # relative: kernels may add up in another order when they are recorded


class Recorder:
    """Records work on a CUDA device. Tests put another in its place that needs none."""

    def warm_up(self, work: Callable[[], None]) -> None:
        """Run the work a few times on a stream of its own, as recording asks for."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                work()
        torch.cuda.current_stream().wait_stream(stream)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """What replays the work. Recording does not run it."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        return graph.replay


class CapturedStep:
    """A recorded step over `state`, the tensors that it changes. They are as before when it has been made."""

    def __init__(
        self,
        work: Work,
        hidden: torch.Tensor,
        labels: torch.Tensor,
        state: Sequence[torch.Tensor],
        recorder: Recorder,
    ) -> None:
        self._hidden, self._labels = hidden.clone(), labels.clone()
        self._rate = torch.zeros((), device=hidden.device)
        before = [tensor.clone() for tensor in state]

        def step() -> None:
            work(self._hidden, self._labels, self._rate)

        recorder.warm_up(step)
        _restore(state, before)
        self._replay = recorder.record(step)
        _restore(state, before)

    def __call__(self, hidden: torch.Tensor, labels: torch.Tensor, rate: float) -> None:
        """Take the step for a batch of the recorded shape."""
        self._hidden.copy_(hidden)
        self._labels.copy_(labels)
        self._rate.fill_(rate)
        self._replay()


def capture(
    work: Work,
    hidden: torch.Tensor,
    labels: torch.Tensor,
    rate: float,
    state: Sequence[torch.Tensor],
    recorder: Recorder | None = None,
) -> CapturedStep | None:
    """A recorded step that was seen to do what the step does, on this batch; None where it cannot be had.

    The state is as before. Waits for the device.
    """
    before = [tensor.clone() for tensor in state]
    try:
        captured = CapturedStep(work, hidden, labels, state, recorder or Recorder())
        captured(hidden, labels, rate)
        replayed = [tensor.clone() for tensor in state]
        _restore(state, before)
    except RuntimeError:  # what CUDA cannot record, or has no memory for, runs as it is
        _restore(state, before)
        return None
    work(hidden, labels, torch.full((), rate, device=hidden.device))
    same = all(_close(tensor, other) for tensor, other in zip(state, replayed, strict=True))
    _restore(state, before)
    return captured if same else None


def _restore(state: Sequence[torch.Tensor], before: Sequence[torch.Tensor]) -> None:
    for tensor, old in zip(state, before, strict=True):
        tensor.copy_(old)


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    scale = torch.maximum(a.abs().max(), b.abs().max()).clamp(min=1e-12)
    return bool(((a - b).abs().max() / scale) < _TOLERANCE)
