"""Small stand-ins: splits that can be learned, and a network of three stages with the interface of munet's own."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class ToySplit:
    images: np.ndarray
    labels: np.ndarray


def stripes(count: int, seed: int, classes: int = 2, side: int = 8) -> ToySplit:
    """Grey images whose bright row tells the class, under noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    images = rng.integers(0, 80, (count, side, side, 1), dtype=np.uint8)
    images[np.arange(count), labels * 2] += 150
    return ToySplit(images, labels)


class ToyNetwork(nn.Module):
    """posembed (flatten and a dense layer), block.0 (residual dense layer), head; some of them trainable."""

    def __init__(self, trainable: tuple[str, ...], seed: int = 0, side: int = 8, classes: int = 2) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        widths = {"embedding": (16, 3 * side * side), "block.0": (16, 16), "head": (classes, 16)}
        self.slots = nn.ModuleDict()
        for slot, shape in widths.items():
            layer = nn.Linear(shape[1], shape[0])
            layer.weight.data = torch.randn(shape, generator=generator) * 0.1
            layer.bias.data = torch.zeros(shape[0])
            layer.requires_grad_(slot in trainable)
            self.slots[slot.replace(".", "_")] = layer
        self.trainable = trainable
        self.calls = dict.fromkeys(widths, 0)  # images that passed each stage

    def _stage(self, slot: str, x: torch.Tensor) -> torch.Tensor:
        self.calls[slot] += len(x)
        layer = self.slots[slot.replace(".", "_")]
        if slot == "embedding":
            return torch.tanh(layer(x.flatten(1)))
        return x + torch.tanh(layer(x)) if slot == "block.0" else layer(x)

    def stages(self):
        names = {"posembed": "embedding", "block.0": "block.0", "head": "head"}
        return [(name, lambda x, slot=slot: self._stage(slot, x)) for name, slot in names.items()]

    def slots_of_stage(self, name: str) -> tuple[str, ...]:
        return ("embedding",) if name == "posembed" else (name,)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        for _, stage in self.stages():
            x_BCHW = stage(x_BCHW)
        return x_BCHW

    def slot_parameters(self, slot: str) -> dict[str, nn.Parameter]:
        return dict(self.slots[slot.replace(".", "_")].named_parameters())

    def trained_layers(self) -> dict[str, dict[str, torch.Tensor]]:
        return {slot: {n: p.detach() for n, p in self.slot_parameters(slot).items()} for slot in self.trainable}
