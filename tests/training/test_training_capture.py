"""Steps that are recorded and replayed. Without a GPU something else replays them; with one, CUDA does."""

from collections.abc import Callable

import pytest
import torch

from munet.training import Preprocessing, Recipe, TrainItem, train
from munet.training.capture import Recorder, capture
from munet.training.child_state import ChildState
from munet.training.memory import Parts
from training_toys import ToyNetwork, stripes

RECIPE = Recipe(0.1, Preprocessing(8), 2, 64, 8, nesterov=True)
HIDDEN = torch.randn(10, 8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(80).reshape(10, 8) % 2


class Again(Recorder):
    """Replays by running the work again."""

    def warm_up(self, work: Callable[[], None]) -> None:
        for _ in range(3):
            work()

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        return work


def child() -> ChildState:
    return ChildState(TrainItem(ToyNetwork(("embedding", "block.0", "head")), RECIPE), 64, torch.device("cpu"), Parts())


def test_recorded_steps_are_the_steps():
    eager, recorded = child(), child()
    start = [tensor.clone() for tensor in recorded.state]
    captured = capture(recorded.work, HIDDEN[0], LABELS[0], 0.1, recorded.state, Again())
    assert captured is not None
    assert all(torch.equal(now, before) for now, before in zip(recorded.state, start, strict=True))
    for number in range(10):
        rate = 0.1 / (1 + number)
        captured(HIDDEN[number], LABELS[number], rate)
        eager.work(HIDDEN[number], LABELS[number], torch.tensor(rate))
    assert all(torch.equal(a, b) for a, b in zip(eager.state, recorded.state, strict=True))
    assert not torch.equal(recorded.state[0], start[0])


def test_a_rate_on_the_device_takes_the_same_step():
    a, b = child(), child()
    for number in range(10):
        a.work(HIDDEN[number], LABELS[number], torch.tensor(0.05))
        b._gradients(HIDDEN[number], LABELS[number], 8)
        b._optimiser.step(0.05)
    torch.testing.assert_close(a.state[0], b.state[0], rtol=1e-5, atol=1e-6)


def test_a_replay_that_does_something_else_is_not_used():
    class Wrong(Again):
        def record(self, work: Callable[[], None]) -> Callable[[], None]:
            def twice() -> None:
                work()
                work()

            return twice

    class Impossible(Again):
        def record(self, work: Callable[[], None]) -> Callable[[], None]:
            raise RuntimeError("operation not permitted when stream is capturing")

    for recorder in (Wrong(), Impossible()):
        one = child()
        start = [tensor.clone() for tensor in one.state]
        assert capture(one.work, HIDDEN[0], LABELS[0], 0.1, one.state, recorder) is None
        assert all(torch.equal(now, before) for now, before in zip(one.state, start, strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_recorded_training_is_eager_training(monkeypatch: pytest.MonkeyPatch):
    data, validation = stripes(200, 1), stripes(50, 2)
    recipe = Recipe(0.1, Preprocessing(8), 3, 200, 10)

    def run() -> tuple[list[float], dict[str, dict[str, torch.Tensor]]]:
        network = ToyNetwork(("block.0", "head")).to("cuda")
        outcome = train(network, recipe, data, validation, key=(0,), device="cuda")
        return outcome.losses, outcome.layers

    losses, layers = run()
    monkeypatch.setattr("munet.training.child_state.WORTH", 10**9)
    eager_losses, eager_layers = run()
    assert losses == pytest.approx(eager_losses, rel=1e-3)
    torch.testing.assert_close(layers, eager_layers, rtol=1e-2, atol=1e-3)
