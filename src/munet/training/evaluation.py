"""Accuracy: the share of images whose highest logit is that of their label, each image counting the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from munet.training.fixed_rows import FixedRows, fixed_rows
from munet.training.images import ImageSet, SplitLike
from munet.training.memory import Note, Parts
from munet.training.precision import autocast
from munet.training.preprocessing import Preprocessing, prepare
from munet.training.trie import Function, Step, Target, Trie, walk


@dataclass(frozen=True)
class EvalItem:
    """A network, on the device that evaluates it, and its images.

    `steps` are its stages, named by content: what several have in common from the first one on is computed once for a
    batch. Examinees with equal `content` have the same images and labels.
    """

    steps: Sequence[Step]
    split: SplitLike
    content: str

    @classmethod
    def alone(cls, network: Function, split: SplitLike) -> "EvalItem":
        """A network that shares nothing."""
        return cls([("", network)], split, "")


def evaluate(
    network: Function,
    split: SplitLike,
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 512,
    precision: str = "fp32",
    fixed: bool = False,
    note: Note = lambda text: None,
) -> tuple[int, int]:
    """(correct, examples) of one network; see `evaluate_together`."""
    alone = [EvalItem.alone(network, split)]
    options = {"device": device, "batch_size": batch_size, "precision": precision, "fixed": fixed}
    return evaluate_together(alone, preprocessing, **options, note=note)[0]


@torch.no_grad()
def evaluate_together(
    items: Sequence[EvalItem],
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 512,
    precision: str = "fp32",
    fixed: bool = False,
    note: Note = lambda text: None,
    progress: Callable[[int], None] = lambda images: None,
) -> list[tuple[int, int]]:
    """(correct, examples) of each network on every image of its split, resized and normalised, nothing random.

    Batches may hold images of several splits, and go through a stage that their networks share at once. An image with
    a non-finite logit is wrong. With `fixed`, networks compute on as many images at once as for a prediction
    (`munet.training.fixed_rows`), so that logits are those. `progress` is called with the number of images of each
    batch when it is done.
    """
    rows = fixed_rows(preprocessing.image_size, device, precision) if fixed else None
    trie, parts = Trie("images"), Parts(note) if rows is None else FixedRows(rows)
    nodes = [trie.add(item.steps) for item in items]
    sets: dict[str, ImageSet] = {}
    readers: dict[str, list[int]] = {}  # content -> examinees
    for number, item in enumerate(items):
        readers.setdefault(item.content, []).append(number)
        if item.content not in sets:
            sets[item.content] = ImageSet.of(item.split, device)
    counts = [torch.zeros(2, dtype=torch.int64, device=device) for _ in items]
    for pieces in _batches({content: len(data) for content, data in sets.items()}, batch_size):
        images = [prepare(sets[content].rows(rows), preprocessing) for content, rows in pieces]
        targets: list[Target] = []
        wanted: list[tuple[int, torch.Tensor]] = []  # examinee, its labels
        start = 0
        for content, rows in pieces:
            within = torch.arange(start, start + len(rows), device=device) if len(pieces) > 1 else None
            labels = sets[content].labels[int(rows[0]) : int(rows[-1]) + 1]
            targets += [Target(nodes[number], within) for number in readers[content]]
            wanted += [(number, labels) for number in readers[content]]
            start += len(rows)
        with autocast(device, precision):
            found = walk(targets, lambda x=images: x[0] if len(x) == 1 else torch.cat(x), apply=parts)
        for (number, labels), logits in zip(wanted, found, strict=True):
            counts[number] += count_correct(logits, labels)
        progress(start)
    return [(int(count[0]), len(sets[e.content])) for count, e in zip(counts, items, strict=True)]


@torch.no_grad()
def logits_of(
    network: Function,
    split: SplitLike,
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 512,
    precision: str = "fp32",
    fixed: bool = False,
) -> torch.Tensor:
    """float32 (N, C) on the CPU for every image of a split: those that `evaluate` counts with the same options."""
    rows = fixed_rows(preprocessing.image_size, device, precision) if fixed else None
    apply = FixedRows(rows) if rows else lambda function, x: function(x)
    data, found = ImageSet.of(split, device), []
    for pieces in _batches({"": len(data)}, batch_size):
        with autocast(device, precision):
            found.append(apply(network, prepare(data.rows(pieces[0][1]), preprocessing)).float().cpu())
    return torch.cat(found)


def _batches(lengths: dict[str, int], size: int) -> Iterator[list[tuple[str, np.ndarray]]]:
    """All images of all sets, in order, `size` at a time: the pieces (set, indices) of each batch."""
    batch: list[tuple[str, np.ndarray]] = []
    room = size
    for name, length in lengths.items():
        start = 0
        while start < length:
            stop = min(length, start + room)
            batch.append((name, np.arange(start, stop)))
            room -= stop - start
            start = stop
            if room == 0:
                yield batch
                batch, room = [], size
    if batch:
        yield batch


def count_correct(logits_BC: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """int64 [correct, with finite logits], counted on the device without waiting for it."""
    finite = logits_BC.isfinite().all(dim=1)
    right = (logits_BC.argmax(dim=1) == labels) & finite
    return torch.stack([right.sum(), finite.sum()])
