"""The interface of all models in memory: a module in stages, so that models that share layers compute those once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Stage = tuple[str, Callable[[Tensor], Tensor]]


class StagedNetwork(nn.Module, ABC):
    """Float images (B, C, S, S) to logits; S is `image_size`. Always in evaluation mode."""

    image_size: int

    @abstractmethod
    def stages(self) -> list[Stage]:
        """(name, function) from images to logits: each takes what the one before it returned.

        Stages of equal name whose slots hold equal layers compute the same, in any model of the system.
        """

    @abstractmethod
    def slots_of_stage(self, name: str) -> tuple[str, ...]:
        """The slots whose layers a stage reads, beside its input."""

    def frozen_stages(self) -> int:
        """How many stages, from the first, lie below the lowest trainable slot."""
        return len(self.stages())

    def on(self, device: torch.device | str, precision: str = "fp32", step: str = "plain") -> "StagedNetwork":
        """Move to a device, and take the form that is fastest there in this precision."""
        return self.to(device)

    def train(self, mode: bool = True) -> "StagedNetwork":
        """Always evaluation mode."""
        return super().train(False)


def stage_names(network: StagedNetwork, layers: Mapping[str, str]) -> list[str]:
    """What each frozen stage of a network computes, by content: its place, its layers' ids, the size of the input."""
    names = [name for name, _ in network.stages()][: network.frozen_stages()]
    return [f"{name} {network.image_size} {[layers[slot] for slot in network.slots_of_stage(name)]}" for name in names]
