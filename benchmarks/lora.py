"""Low-rank adaptation by PEFT, as a contender: the root stays, each task gets its additions and a head.

It is trained by the plain loop (plain.py): the batches, changes and schedule of the fine-tuning that it stands beside,
AdamW in place of its optimiser. PEFT is not among the extras: `pip install peft`.
"""

from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import plain
import torch
from torch import nn

from munet.training.images import SplitLike

MATRICES = r"blocks\..*\.(qkv|proj|fc1|fc2)"  # all of every block


@dataclass(frozen=True)
class Lora:
    """What a user of PEFT sets."""

    rank: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Adapted:
    """One task's trained model, the seconds that it took to make and train, the parameters that are its own."""

    model: nn.Module
    seconds: float
    own: int


def train(child: plain.Child, lora: Lora, train_split: SplitLike) -> Adapted:
    """Adapt the root of `child` to a task; the last step is kept, validation images are not read.

    Raises:
        SystemExit: PEFT is missing.
    """
    try:
        peft = import_module("peft")
    except ImportError:
        raise SystemExit("--lora needs PEFT: pip install peft") from None
    began = plain.perf_counter()
    model: Any = plain.build(child.architecture, child.layers, child.recipe.preprocessing.image_size)
    config = peft.LoraConfig(r=lora.rank, lora_alpha=2 * lora.rank, target_modules=MATRICES, modules_to_save=["head"])
    torch.manual_seed(0)  # PEFT draws its first values from the global generator
    model = peft.get_peft_model(model, config)
    own = [parameter for parameter in model.parameters() if parameter.requires_grad]
    recipe = replace(child.recipe, optimiser="adamw", learning_rate=lora.learning_rate)
    optimiser = torch.optim.AdamW(own, lr=lora.learning_rate, weight_decay=lora.weight_decay, fused=True)
    data = plain.Data.of(train_split, "cpu")
    for cycle in range(recipe.cycles):
        plain.train_cycle(model, own, optimiser, replace(child, recipe=recipe), data, cycle, "cpu")
    seconds = plain.perf_counter() - began
    return Adapted(model, seconds, sum(parameter.numel() for parameter in own))
