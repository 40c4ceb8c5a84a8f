"""Accuracy: the share of images whose highest logit is that of their label, each image counting the same."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import torch

from munet.errors import InputError, suggest
from munet.training.images import ImageSet, SplitLike
from munet.training.preprocessing import Preprocessing
from munet.training.reuse import FixedInputs, Function, Trainable

PRECISIONS = ("fp32", "bf16")


def check_precision(precision: str) -> None:
    """Raises InputError for an unknown precision."""
    if precision not in PRECISIONS:
        raise InputError(f"unknown precision '{precision}'{suggest(precision, PRECISIONS)}; known: fp32, bf16")


def autocast(device: torch.device | str, precision: str) -> AbstractContextManager[object]:
    """Nothing for fp32; matrix products in bfloat16 for bf16. InputError for another precision."""
    check_precision(precision)
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def evaluate(
    network: Trainable,
    split: SplitLike,
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 512,
    precision: str = "fp32",
) -> tuple[int, int]:
    """(correct, examples) of a network on every image of a split, resized and normalised, nothing random.

    The network must be on `device`. An image with a non-finite logit is wrong.
    """
    data = ImageSet.of(split, device)
    inputs = FixedInputs(data, preprocessing, lambda x: x, batch_size)
    correct, _ = count_correct(network, inputs, device, precision).tolist()
    return correct, len(data)


@torch.no_grad()
def count_correct(
    function: Function,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    device: torch.device | str,
    precision: str,
) -> torch.Tensor:
    """int64 [correct, with finite logits], counted on the device without waiting for it."""
    counts = torch.zeros(2, dtype=torch.int64, device=device)
    with autocast(device, precision):
        for inputs, labels in batches:
            logits_BC = function(inputs)
            finite = logits_BC.isfinite().all(dim=1)
            right = (logits_BC.argmax(dim=1) == labels) & finite
            counts += torch.stack([right.sum(), finite.sum()])
    return counts
