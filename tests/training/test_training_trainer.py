"""Training of a child, on toys that take a fraction of a second."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from munet.errors import InputError
from munet.training import ImageSet, Preprocessing, Recipe, evaluate, train
from munet.training.images import stream_order
from training_toys import ToyNetwork, ToySplit, stripes

ALL = ("embedding", "block.0", "head")
PLAIN = Preprocessing(8)
RANDOM = Preprocessing(8, crop_area_min=0.5, flip=True, brightness=0.1)
TRAIN, VALIDATION = stripes(100, 1), stripes(37, 2)


def recipe(**changes) -> Recipe:
    settings = {"learning_rate": 0.1, "preprocessing": PLAIN, "cycles": 3, "samples_per_cycle": 64, "batch_size": 10}
    return Recipe(**(settings | changes))


def run(
    network=None,
    *,
    data=TRAIN,
    validation=VALIDATION,
    key=(0, "toy"),
    buffers=None,
    on_cycle=None,
    reuse=True,
    **changes,
):
    network = network or ToyNetwork(ALL)
    return train(
        network, recipe(**changes), data, validation, key=key, momentum=buffers, on_cycle=on_cycle, reuse=reuse
    )


def snapshot(network):
    return {slot: {n: t.clone() for n, t in tensors.items()} for slot, tensors in network.trained_layers().items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for slot in a:
        for name in a[slot]:
            assert torch.equal(a[slot][name], b[slot][name]), (slot, name)


def test_learns_what_can_be_separated():
    calls = []
    outcome = run(cycles=6, on_cycle=lambda cycle, accuracy: calls.append((cycle, accuracy)))
    assert max(outcome.accuracies) > 0.95
    assert calls == list(enumerate(outcome.accuracies))
    assert outcome.losses[-1] < outcome.losses[0] / 2
    assert outcome.rejected is None
    assert outcome.train_seconds > 0
    assert outcome.validation_seconds > 0


def test_gives_back_the_best_cycle_and_leaves_it_in_the_network():
    network = ToyNetwork(ALL, seed=3)
    states = []
    outcome = run(
        network,
        learning_rate=3.0,  # far too high, so that accuracy goes up and down
        schedule="constant",
        cycles=8,
        samples_per_cycle=10,
        on_cycle=lambda *_: states.append(snapshot(network)),
    )
    best = int(np.argmax(outcome.accuracies))
    assert outcome.best_cycle == best < 7
    assert_same(outcome.layers, states[best])
    assert_same(outcome.layers, network.trained_layers())
    correct, examples = evaluate(network, VALIDATION, PLAIN)
    assert correct / examples == outcome.accuracies[best]
    assert not any(t.requires_grad for tensors in outcome.layers.values() for t in tensors.values())
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize(("keep", "best"), [("earlier", 0), ("later", 2)])
def test_ties_follow_the_rule(keep, best):
    one_class = ToySplit(VALIDATION.images, np.zeros_like(VALIDATION.labels))
    data = ToySplit(TRAIN.images, np.zeros_like(TRAIN.labels))
    outcome = run(data=data, validation=one_class, keep=keep)
    assert outcome.accuracies == [1.0, 1.0, 1.0]
    assert outcome.best_cycle == best


@pytest.mark.parametrize("pre", [PLAIN, RANDOM])
def test_the_key_names_everything_random(pre):
    first, again, other = (run(key=key, preprocessing=pre) for key in ((1, "a", 2), (1, "a", 2), (1, "a", 3)))
    assert_same(first.layers, again.layers)
    assert_same(first.momentum, again.momentum)
    assert first.accuracies == again.accuracies
    assert not torch.equal(first.layers["head"]["weight"], other.layers["head"]["weight"])


def test_the_global_generator_is_neither_read_nor_moved():
    networks = ToyNetwork(ALL), ToyNetwork(ALL)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = run(networks[0], preprocessing=RANDOM)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert_same(first.layers, run(networks[1], preprocessing=RANDOM).layers)


def plain_loop(network: ToyNetwork, settings: Recipe, momentum=None):
    """The last state and each cycle's mean loss of a loop with torch's own SGD: no clipping, no reuse."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(parameters, lr=1.0, momentum=settings.momentum, nesterov=settings.nesterov)
    for slot, tensors in (momentum or {}).items():
        for name, buffer in tensors.items():
            optimiser.state[network.slot_parameters(slot)[name]]["momentum_buffer"] = buffer.float()
    images = (torch.from_numpy(TRAIN.images).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
    labels = torch.from_numpy(TRAIN.labels)
    order = torch.from_numpy(stream_order((0, "toy"), 100, 0, 64 * settings.cycles))
    step, losses = 0, []
    for cycle in order.split(64):
        losses.append(0.0)
        for batch in cycle.split(10):
            loss = F.cross_entropy(network(images[batch].expand(-1, 3, -1, -1)), labels[batch])
            loss.backward()
            losses[-1] += loss.item() * len(batch) / 64
            optimiser.param_groups[0]["lr"] = settings.rate(step, 7)
            optimiser.step()
            optimiser.zero_grad()
            step += 1
    return network.trained_layers(), losses


@pytest.mark.parametrize("inherited", [False, True])
def test_equals_a_plain_loop(inherited):
    momentum = None
    if inherited:
        bias = torch.tensor([1.0, -1.0], dtype=torch.bfloat16)
        momentum = {"head": {"weight": bias[:, None].expand(2, 16) / 8, "bias": bias}}
    settings = {"clip_norm": None, "learning_rate": 0.02, "nesterov": True, "momentum": 0.5}
    network, states = ToyNetwork(ALL), []
    outcome = run(network, buffers=momentum, on_cycle=lambda *_: states.append(snapshot(network)), **settings)
    expected, losses = plain_loop(ToyNetwork(ALL), recipe(**settings), momentum)
    assert outcome.losses == pytest.approx(losses, rel=1e-5)
    for slot, tensors in states[-1].items():
        for name, tensor in tensors.items():
            torch.testing.assert_close(tensor, expected[slot][name], rtol=1e-5, atol=1e-6)
    if inherited:
        assert outcome.losses != pytest.approx(run(**settings).losses, rel=1e-4)  # ten times the tolerance above


def test_each_cycle_draws_its_own_augmentation():
    class Watching(ToyNetwork):
        def _stage(self, slot, x):
            if slot == "embedding" and torch.is_grad_enabled():
                seen.append(x)
            return super()._stage(slot, x)

    seen: list[torch.Tensor] = []
    run(Watching(ALL), data=stripes(1, 1), preprocessing=RANDOM)
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])


def test_momentum_comes_back_in_bfloat16_of_the_best_cycle():
    outcome = run(cycles=1, momentum=0.9)
    assert {name: {n: t.dtype for n, t in v.items()} for name, v in outcome.momentum.items()} == {
        slot: dict.fromkeys(("weight", "bias"), torch.bfloat16) for slot in ALL
    }
    assert outcome.momentum["head"]["weight"].shape == (2, 16)
    assert outcome.momentum["head"]["weight"].abs().max() > 0
    next_child = train(ToyNetwork(ALL), recipe(cycles=1), TRAIN, VALIDATION, key=(0, "toy"), momentum=outcome.momentum)
    assert not torch.equal(next_child.layers["head"]["weight"], outcome.layers["head"]["weight"])


def test_only_trainable_slots_change_and_given_tensors_are_never_written():
    network = ToyNetwork(("block.0", "head"))
    given = {name: parameter.data for name, parameter in network.named_parameters()}
    copies = {name: tensor.clone() for name, tensor in given.items()}
    outcome = run(network)
    assert set(outcome.layers) == {"block.0", "head"}
    assert all(torch.equal(given[name], copies[name]) for name in given)
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, copies[name]) == name.startswith("slots.embedding")


@pytest.mark.parametrize(("count", "cap", "batch", "samples"), [(100, 64, 10, 64), (30, 64, 7, 30), (5, 3, 8, 3)])
def test_samples_are_exact_and_no_tail_is_dropped(count, cap, batch, samples):
    network = ToyNetwork(ALL)
    outcome = run(
        network, data=stripes(count, 1), samples_per_cycle=cap, batch_size=batch, preprocessing=RANDOM, cycles=2
    )
    assert outcome.samples == 2 * samples
    seen = network.calls["head"] - 2 * len(VALIDATION.labels)
    assert seen == 2 * samples


def test_stream_is_endless_and_each_epoch_a_permutation():
    whole = stream_order(("k", 1), 10, 0, 35)
    for epoch in range(3):
        assert sorted(whole[10 * epoch : 10 * epoch + 10]) == list(range(10))
    assert not np.array_equal(whole[:10], whole[10:20])
    parts = [stream_order(("k", 1), 10, start, 7) for start in range(0, 35, 7)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(stream_order(("k", 2), 10, 0, 10), whole[:10])


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"learning_rate": 1e38, "schedule": "constant"}, "non-finite"), ({"learning_rate": float("nan")}, "non-finite")],
)
def test_divergence_is_rejected_and_stops(changes, words):
    cycles = []
    outcome = run(clip_norm=None, cycles=5, on_cycle=lambda cycle, _: cycles.append(cycle), **changes)
    assert outcome.rejected is not None
    assert words in outcome.rejected
    assert outcome.samples < 5 * 64
    assert outcome.layers == outcome.momentum == {}
    assert len(cycles) == len(outcome.accuracies) < 5


def test_non_finite_logits_in_validation_are_rejected():
    """Every training step is finite, but the frozen part overflows on one validation image."""

    class Overflowing(ToyNetwork):
        def _stage(self, slot, x):
            white = x.flatten(1).amin(1, keepdim=True) >= 1 if slot == "embedding" else torch.zeros(len(x), 1) > 0
            return super()._stage(slot, x).masked_fill(white, float("inf"))

    images = VALIDATION.images.copy()
    images[5] = 255
    outcome = run(Overflowing(("head",)), validation=ToySplit(images, VALIDATION.labels))
    assert outcome.rejected == "non-finite logits in the validation of cycle 0"
    assert outcome.best_cycle == -1
    assert outcome.samples == 64


@pytest.mark.parametrize("pre", [PLAIN, RANDOM])
@pytest.mark.parametrize("trainable", [ALL, ("block.0", "head"), ("head",)])
def test_reuse_of_the_frozen_prefix_gives_the_same_bits(trainable, pre):
    plain, reusing = ToyNetwork(trainable), ToyNetwork(trainable)
    slow = run(plain, preprocessing=pre, reuse=False)
    fast = run(reusing, preprocessing=pre)
    assert slow.accuracies == fast.accuracies
    assert slow.losses == fast.losses
    assert_same(slow.layers, fast.layers)
    assert_same(slow.momentum, fast.momentum)
    if trainable != ALL and pre is RANDOM:  # else the check of rows costs more than three cycles of a toy
        assert reusing.calls["embedding"] < plain.calls["embedding"]


def test_what_is_frozen_is_computed_once_for_images_without_randomness():
    spent = []
    for cycles in (2, 20):  # of 64 of 100 images: the second ends the first epoch
        network = ToyNetwork(("head",))
        run(network, cycles=cycles)
        spent.append(network.calls["embedding"])
    assert spent[0] == spent[1]


def test_reuse_keeps_to_its_budget():
    held = 64 * 4  # bytes of one image's activations at the head, which has 16 inputs
    for budget, kept in ((37 * held // 4 - 1, False), (37 * held // 4, True)):
        spent = []
        for cycles in (1, 4):
            network = ToyNetwork(("head",))
            train(network, recipe(cycles=cycles), TRAIN, VALIDATION, key=(0,), cache_bytes=budget)
            spent.append(network.calls["embedding"])
        training = spent[1] - spent[0]
        # training images have no room in either; each cycle computes them in a chunk of 128, validation in one of 64
        assert training == 3 * (128 + (0 if kept else 64))


def test_a_batch_that_does_not_fit_goes_through_in_parts_with_the_same_result():
    class Small(ToyNetwork):
        def _stage(self, slot, x):
            if len(x) > 3:
                raise torch.OutOfMemoryError("out of memory")
            return super()._stage(slot, x)

    calls: list[str] = []
    for pre in (PLAIN, RANDOM):
        settings = recipe(preprocessing=pre)
        whole = train(ToyNetwork(ALL), settings, TRAIN, VALIDATION, key=(0,))
        calls.clear()
        parts = train(Small(ALL), settings, TRAIN, VALIDATION, key=(0,), note=calls.append)
        assert len(calls) == 1
        assert "out of memory" in calls[0]
        assert parts.accuracies == whole.accuracies
        for slot, tensors in whole.layers.items():
            for name, tensor in tensors.items():
                torch.testing.assert_close(parts.layers[slot][name], tensor, rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_at_all_says_so():
    class Full(ToyNetwork):
        def _stage(self, slot, x):
            raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        run(Full(ALL))


def test_bf16_learns_too():
    outcome = run(precision="bf16", cycles=6)
    assert max(outcome.accuracies) > 0.95
    assert outcome.layers["head"]["weight"].dtype == torch.float32


def test_evaluate_counts_every_image_once():
    network = ToyNetwork(ALL)
    logits = network(torch.from_numpy(VALIDATION.images).permute(0, 3, 1, 2).expand(-1, 3, -1, -1) / 127.5 - 1)
    right = int((logits.argmax(1).numpy() == VALIDATION.labels).sum())
    assert evaluate(network, VALIDATION, PLAIN, batch_size=10) == (right, 37)


def test_an_image_with_nan_logits_is_wrong():
    broken = lambda x: torch.full((len(x), 2), float("nan"))  # noqa: E731
    data = ToySplit(VALIDATION.images, np.zeros_like(VALIDATION.labels))  # argmax of NaN is class 0
    assert evaluate(broken, data, PLAIN) == (0, 37)  # pyright: ignore[reportArgumentType]


def test_splits_on_the_device_are_not_copied_and_read_only_arrays_are_fine():
    images = VALIDATION.images.copy()
    assert ImageSet.of(ToySplit(images, VALIDATION.labels), "cpu").images.data_ptr() == images.ctypes.data
    images.flags.writeable = False
    held = ImageSet.of(ToySplit(images, VALIDATION.labels), "cpu")
    assert ImageSet.of(held, "cpu").images is held.images
    assert np.array_equal(held.images.numpy(), images)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cycles": 0}, "cycles is 0"),
        ({"momentum": 1.0}, "momentum is 1.0"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"precision": "bf61"}, "did you mean 'bf16'"),
        ({"keep": "best"}, "keep is 'best'; it must be earlier, later or last"),
    ],
)
def test_bad_recipes_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        recipe(**changes)


def test_empty_or_uneven_splits_are_refused():
    for split in (ToySplit(VALIDATION.images[:0], VALIDATION.labels[:0]), ToySplit(VALIDATION.images, TRAIN.labels)):
        with pytest.raises(InputError, match="at least one"):
            run(data=split)
