"""Features that a head reads, of many images and several models at once: what they share below is computed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from munet.model.network import Network
from munet.model.staged import stage_names
from munet.training.features import FeatureCache
from munet.training.images import ImageSet
from munet.training.inputs import FixedInputs
from munet.training.memory import Parts
from munet.training.precision import autocast
from munet.training.preprocessing import Preprocessing, apply, draw

if TYPE_CHECKING:
    from munet.model.vit import ViTArchitecture

_BATCH = 64  # augmented images that are read at once

Layers = Mapping[str, Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Body:
    """A model without its head: tensors by slot, and the ids of those layers that are stored."""

    layers: Layers
    ids: Mapping[str, str]


class FeatureReader:
    """Reads one split with one preprocessing; activations are kept in `cache` where it allows that."""

    def __init__(
        self,
        data: ImageSet,
        pre: Preprocessing,
        *,
        name: str,
        cache: FeatureCache | None,
        precision: str,
        kind: str,
        step: str,
    ) -> None:
        self._data, self._device, self._precision, self._step = data, data.device, precision, step
        kind = f"{kind} {precision} {step}"
        self._inputs = FixedInputs(data, pre, name=name, cache=cache, parts=Parts(lambda text: None), kind=kind)

    def read(self, architecture: "ViTArchitecture", bodies: Sequence[Body], rows: np.ndarray) -> list[torch.Tensor]:
        """Of each body float32 (N, D) on the CPU: the pooled features; where the model pools its class token, twice the
        width, with the mean patch token behind it."""
        nodes = []
        for body in bodies:
            network = self._network(architecture, body)
            known = stage_names(network, body.ids)
            steps = [(name, stage) for name, (_, stage) in zip(known, network.stages(), strict=True)]
            nodes.append(self._inputs.trie.add(steps))
        with autocast(self._device, self._precision), torch.no_grad():
            return [values.float().cpu() for values in self._inputs.read(rows, nodes)]

    @torch.no_grad()
    def read_augmented(
        self,
        architecture: "ViTArchitecture",
        body: Body,
        rows: np.ndarray,
        pre: Preprocessing,
        generator: torch.Generator,
        *,
        mirrored: bool = False,
    ) -> torch.Tensor:
        """Features as `read` gives them, of images that are changed at random as in training; none is kept.

        `mirrored`: all of them are mirrored as well, whatever `pre` draws.
        """
        network = self._network(architecture, body)
        _, height, width, _ = self._data.images.shape
        draws, found = draw(pre, len(rows), height, width, generator), list[torch.Tensor]()
        if mirrored:
            draws = replace(draws, flip=torch.ones(len(rows), dtype=torch.bool))
        for start in range(0, len(rows), _BATCH):
            images = self._data.rows(rows[start : start + _BATCH])
            ready = apply(images, pre, draws.part(start, start + _BATCH).to(self._device))
            with autocast(self._device, self._precision):
                found.append(network(ready).float().cpu())
        return torch.cat(found)

    def _network(self, architecture: "ViTArchitecture", body: Body) -> Network:
        network = Network(architecture, body.layers, self._inputs.image_size)
        network.with_patches = architecture.global_pool == "token"
        return network.on(self._device, self._precision, self._step)


def columns(features: torch.Tensor, width: int, wanted: str) -> torch.Tensor:
    """Those features (..., D) that a head with `head_features` reads."""
    return features if wanted == "class-token+patches" else features[..., :width]
