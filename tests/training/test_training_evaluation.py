"""Many networks measured together: each counts what it would alone, and what they share is computed once."""

import numpy as np
import pytest

from munet.training import EvalItem, Preprocessing, evaluate, evaluate_together
from munet.training.trie import Step
from training_toys import ToyNetwork, ToySplit, stripes

PRE = Preprocessing(8)
SPLITS = [stripes(37, 2), stripes(50, 3), stripes(5, 4)]


def networks(count: int) -> list[ToyNetwork]:
    """With one embedding and block, and heads of their own."""
    made = [ToyNetwork((), seed=0) for _ in range(count)]
    for number, network in enumerate(made):
        network.slots["head"] = ToyNetwork((), seed=number).slots["head"]
    return made


def steps(network: ToyNetwork, head: str) -> list[Step]:
    names = ("embedding of the root", "block of the root", head)
    return [(name, stage) for name, (_, stage) in zip(names, network.stages(), strict=True)]


@pytest.mark.parametrize("batch_size", [1, 7, 16, 512])
def test_together_each_counts_what_it_would_alone(batch_size: int):
    nets = networks(6)
    splits = [SPLITS[number % 3] for number in range(6)]
    items = [
        EvalItem(steps(net, f"head {number}"), split, str(number % 3))
        for number, (net, split) in enumerate(zip(nets, splits, strict=True))
    ]
    seen: list[int] = []
    found = evaluate_together(items, PRE, batch_size=batch_size, progress=seen.append)
    assert sum(seen) == 37 + 50 + 5
    assert max(seen) <= batch_size
    fresh = networks(6)
    assert found == [evaluate(net, split, PRE) for net, split in zip(fresh, splits, strict=True)]
    assert len({correct / examples for correct, examples in found}) > 1


def test_shared_layers_see_each_image_once_and_heads_only_their_own():
    nets = networks(6)
    items = [EvalItem(steps(net, f"head {n}"), SPLITS[n % 3], str(n % 3)) for n, net in enumerate(nets)]
    evaluate_together(items, PRE, batch_size=16)
    for slot in ("embedding", "block.0"):
        assert sum(net.calls[slot] for net in nets) == 37 + 50 + 5
    assert [net.calls["head"] for net in nets] == [37, 50, 5, 37, 50, 5]


def test_labels_stay_with_their_images():
    net = ToyNetwork(())
    split = SPLITS[0]
    turned = ToySplit(split.images, 1 - np.asarray(split.labels))
    right, wrong = evaluate_together([EvalItem.alone(net, split), EvalItem(steps(net, "h"), turned, "turned")], PRE)
    assert right[0] + wrong[0] == 37
