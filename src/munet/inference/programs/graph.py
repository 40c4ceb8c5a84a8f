"""Tasks as one module, from images to logits: stages that their models share are there once, and computed once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from munet.errors import InputError
from munet.model.staged import StagedNetwork, stage_names
from munet.training.preprocessing import Preprocessing


class Program(nn.Module):
    """Images to the logits of each task, in the order of `tasks`.

    With `preprocessing` the images are uint8 (B, H, W, 3) RGB of any size: they are resized to the input size (aspect
    not kept) and normalised here. Without, they are float32 (B, C, S, S), ready for the network.
    """

    def __init__(
        self, networks: Mapping[str, StagedNetwork], layers: Mapping[str, Mapping[str, str]], pre: Preprocessing | None
    ) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.tasks, self._pre = tuple(networks), pre
        self.networks = nn.ModuleList(networks.values())
        self._paths = [list(self._path(network, layers[task])) for task, network in networks.items()]
        if pre is not None:
            self.register_buffer("mean", torch.tensor(pre.mean).view(1, -1, 1, 1), persistent=False)
            self.register_buffer("std", torch.tensor(pre.std).view(1, -1, 1, 1), persistent=False)

    @staticmethod
    def _path(network: StagedNetwork, layers: Mapping[str, str]) -> Sequence[tuple[str, object]]:
        names = stage_names(network, layers)
        return [(name, stage) for name, (_, stage) in zip(names, network.stages(), strict=True)]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        start = images if self._pre is None else self._ready(images, self._pre)
        known: dict[tuple[str, ...], Tensor] = {}
        return tuple(self._logits(path, start, known) for path in self._paths)

    def _logits(self, path: Sequence[tuple[str, object]], x: Tensor, known: dict[tuple[str, ...], Tensor]) -> Tensor:
        done: tuple[str, ...] = ()
        for name, stage in path:
            done = (*done, name)
            if done not in known:
                known[done] = stage(x)  # type: ignore[operator]
            x = known[done]
        return x

    def _ready(self, images: Tensor, pre: Preprocessing) -> Tensor:
        """As `munet.training.preprocessing.prepare`."""
        x = images.permute(0, 3, 1, 2).to(torch.float32) / 255
        if len(pre.mean) == 1:
            x = x.mean(1, keepdim=True)
        x = F.interpolate(x, (pre.image_size, pre.image_size), mode="bilinear", align_corners=False, antialias=False)
        return (x - self.mean) / self.std


def one_input(preprocessing: Mapping[str, Preprocessing], forms: Mapping[str, object]) -> None:
    """InputError unless all tasks make the same of an image."""
    first = next(iter(preprocessing))
    for task in preprocessing:
        if (preprocessing[task], forms[task]) != (preprocessing[first], forms[first]):
            raise InputError(
                f"tasks {first!r} and {task!r} read images of different sizes: export each to a file of its own"
            )
