"""What a user would do otherwise: train one child after another with timm, SGD and requires_grad set for what trains.

It sees the same start weights, the same batches in the same order and the same preprocessing as munet, and it is
written to be fast: the images lie on the device, the optimiser is the fused one and is given nothing frozen, PyTorch
keeps no graph below the lowest trainable tensor, random draws are made once a cycle, the loss is not read while a cycle
runs, and only what trains is copied when it is best.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import timm
import torch
from timm.layers.norm import LayerNorm
from timm.optim._param_groups import param_groups_layer_decay
from torch import nn
from torch.nn import functional as F

from munet.model.modules import timm_arguments
from munet.model.slots import depth_of
from munet.model.state_dict import join_state_dict, slot_of
from munet.model.vit import ViTArchitecture
from munet.rng import Key, torch_rng
from munet.training import Preprocessing, Recipe, prepare
from munet.training.images import SplitLike, stream_order
from munet.training.preprocessing import apply, draw

Layers = Mapping[str, Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Child:
    """One network to train: its start, what of it trains, how. Models with adapters are no timm models."""

    architecture: ViTArchitecture
    layers: Layers  # slot -> name -> tensor
    trainable: Collection[str]  # slots
    recipe: Recipe
    key: Key  # names the streams of data order and augmentation
    momentum: Layers = field(default_factory=dict)  # SGD buffers to begin with


@dataclass(frozen=True)
class Data:
    """uint8 images (N, H, W, C) and int64 labels (N,) on the device."""

    images: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, split: SplitLike, device: str) -> "Data":
        """A split (arrays or tensors) on the device, not copied if it is there."""
        images, labels = torch.as_tensor(split.images), torch.as_tensor(split.labels)
        return cls(images.to(device), labels.to(device, torch.int64))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Trained:
    """What came of a child: accuracy and mean loss of each cycle, the best trained tensors under timm's names."""

    accuracies: list[float]
    losses: list[float]
    best_cycle: int
    state: dict[str, torch.Tensor] = field(repr=False)
    seconds: dict[str, float]  # setup, train, validation


def build(architecture: ViTArchitecture, layers: Layers, image_size: int, device: str = "cpu") -> nn.Module:
    """The timm model with these weights. timm's random initialisation is left out, which favours this side."""
    classes = layers["head"]["weight"].shape[0] if "head" in layers else 0
    model = timm.create_model(
        "vit_base_patch16_224",  # the arguments replace all that makes it a base model
        **timm_arguments(architecture, depth_of(layers), image_size, classes),
        norm_layer=partial(LayerNorm, eps=architecture.norm_eps),
        weight_init="skip",
    )
    model.load_state_dict(join_state_dict(layers))
    return model.to(device)


def autocast(device: str, precision: str) -> torch.autocast:
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=precision == "bf16")


def train(
    child: Child,
    train_split: SplitLike,
    validation_split: SplitLike,
    *,
    device: str = "cpu",
    on_cycle: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train one child by itself; `on_cycle` is called with (cycle, validation accuracy)."""
    began = perf_counter()
    recipe = child.recipe
    model = build(child.architecture, child.layers, recipe.preprocessing.image_size, device)
    trained = _set_trainable(model, child.trainable)
    optimiser = _optimiser(model, list(trained.values()), recipe)
    if child.momentum:  # the fused optimiser takes buffers of all or of none
        for parameter in trained.values():
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    for name, buffer in join_state_dict(child.momentum).items():
        optimiser.state[trained[name]]["momentum_buffer"] = buffer.to(device, torch.float32, copy=True)
    data, validation = Data.of(train_split, device), Data.of(validation_split, device)
    accuracies: list[float] = []
    losses: list[float] = []
    best, state = -1, {}
    seconds = {"setup": perf_counter() - began, "train": 0.0, "validation": 0.0}
    for cycle in range(recipe.cycles):
        began = perf_counter()
        losses.append(train_cycle(model, list(trained.values()), optimiser, child, data, cycle, device))
        middle = perf_counter()
        accuracies.append(accuracy(model, validation, recipe, device))
        seconds["train"] += middle - began
        seconds["validation"] += perf_counter() - middle
        tie = recipe.keep == "later" and accuracies[-1] == accuracies[best]
        if best < 0 or accuracies[-1] > accuracies[best] or tie:
            best, state = cycle, {name: parameter.detach().clone() for name, parameter in trained.items()}
        if on_cycle is not None:
            on_cycle(cycle, accuracies[-1])
    return Trained(accuracies, losses, best, state, seconds)


def train_all(
    children: Iterable[Child], train_split: SplitLike, validation_split: SplitLike, **options: Any
) -> list[Trained]:
    """One child after another."""
    return [train(child, train_split, validation_split, **options) for child in children]


def _set_trainable(model: nn.Module, slots: Collection[str]) -> dict[str, nn.Parameter]:
    """Set requires_grad of every parameter; those that train, by timm's names."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(slot_of(name)[0] in slots)
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def _optimiser(model: nn.Module, trained: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Fused SGD, or fused AdamW with timm's groups for layer-wise decay."""
    if recipe.optimiser == "sgd":
        options = {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
        return torch.optim.SGD(trained, lr=recipe.learning_rate, fused=True, **options)
    groups = param_groups_layer_decay(model, weight_decay=recipe.weight_decay, layer_decay=recipe.layer_decay)
    for group in groups:
        if group["lr_scale"] == 1.0:  # the head, which is new
            group["lr_scale"] = recipe.head_rate
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def train_cycle(
    model: nn.Module,
    trained: list[nn.Parameter],
    optimiser: torch.optim.Optimizer,
    child: Child,
    data: Data,
    cycle: int,
    device: str,
) -> float:
    """Mean loss of one cycle."""
    recipe, size = child.recipe, child.recipe.batch_size
    samples = recipe.samples(len(data))
    steps = -(-samples // size)
    order = torch.from_numpy(stream_order(child.key, len(data), cycle * samples, samples)).to(device)
    height, width = data.images.shape[1:3]
    generator = torch_rng(*child.key, "augment", cycle)
    draws = draw(recipe.preprocessing, samples, height, width, generator).to(device)
    total = torch.zeros((), dtype=torch.float64, device=device)
    model.train()
    for step, start in enumerate(range(0, samples, size)):
        stop = min(start + size, samples)
        batch = order[start:stop]
        images_BCHW = apply(data.images[batch], recipe.preprocessing, draws.part(start, stop))
        with autocast(device, recipe.precision):
            logits_BC = model(images_BCHW)
        loss = F.cross_entropy(logits_BC.float(), data.labels[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(trained, recipe.clip_norm)
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate(cycle * steps + step, steps) * group.get("lr_scale", 1.0)
        optimiser.step()
        total += loss.detach() * (stop - start)
    return float(total) / samples


def accuracy(model: nn.Module, data: Data, recipe: Recipe, device: str) -> float:
    """Share of right answers, in batches as large as munet's."""
    size = min(512, 4 * recipe.batch_size)
    return count_correct({"": model}, data, recipe.preprocessing, size, device, recipe.precision)[""] / len(data)


@torch.no_grad()
def count_correct(
    models: Mapping[str, nn.Module],
    data: Data,
    pre: Preprocessing,
    batch_size: int,
    device: str,
    precision: str = "fp32",
) -> dict[str, int]:
    """Right answers of each model on all images; every batch is prepared once for all of them."""
    counts = {name: torch.zeros((), dtype=torch.int64, device=device) for name in models}
    for start in range(0, len(data), batch_size):
        images_BCHW = prepare(data.images[start : start + batch_size], pre)
        labels = data.labels[start : start + batch_size]
        for name, model in models.items():
            model.eval()
            with autocast(device, precision):
                logits_BC = model(images_BCHW)
            counts[name] += (logits_BC.argmax(1) == labels).sum()
    return {name: int(count) for name, count in counts.items()}
