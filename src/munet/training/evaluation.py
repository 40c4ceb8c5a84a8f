"""Accuracy: the share of images whose highest logit is that of their label, each image counting the same."""

import torch

from munet.training.images import ImageSet, SplitLike
from munet.training.member import Trainable
from munet.training.memory import Note, Parts
from munet.training.precision import autocast
from munet.training.preprocessing import Preprocessing, prepare


def evaluate(
    network: Trainable,
    split: SplitLike,
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 512,
    precision: str = "fp32",
    note: Note = lambda text: None,
) -> tuple[int, int]:
    """(correct, examples) of a network on every image of a split, resized and normalised, nothing random.

    The network must be on `device`. An image with a non-finite logit is wrong.
    """
    data, parts = ImageSet.of(split, device), Parts(note)
    counts = torch.zeros(2, dtype=torch.int64, device=data.device)
    with torch.no_grad(), autocast(device, precision):
        for start in range(0, len(data), batch_size):
            images_BCHW = prepare(data.images[start : start + batch_size].to(data.device), preprocessing)
            counts += count_correct(parts(network, images_BCHW), data.labels[start : start + batch_size])
    return int(counts[0]), len(data)


def count_correct(logits_BC: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """int64 [correct, with finite logits], counted on the device without waiting for it."""
    finite = logits_BC.isfinite().all(dim=1)
    right = (logits_BC.argmax(dim=1) == labels) & finite
    return torch.stack([right.sum(), finite.sum()])
