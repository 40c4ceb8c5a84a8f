"""A model as an nn.Module: timm's modules, by its names, around the tensors of its layers.

Nothing is initialised and nothing is copied: the parameters of a network are the given tensors.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from munet.errors import InputError
from munet.model.block import FusedBlock, can_fuse
from munet.model.modules import Embedding, adapter_template, assign, pool_template, shallow_clone
from munet.model.slots import STEM, STEM_STAGE, adapters_of, block, depth_of, is_block, parse, stage_of
from munet.model.staged import Stage, StagedNetwork
from munet.model.state_dict import slot_of
from munet.model.transformer import block_template, norm_of
from munet.model.vit import ViTArchitecture

Layers = Mapping[str, Mapping[str, Tensor]]

_FIRST = "class token"  # the last block where only that is read of it
_NORM_AND_PATCHES = "norm+patches"  # the stage of slot norm where the head reads two features


class Network(StagedNetwork):
    """A vision transformer that computes. Its parameters are the given tensors, so training changes those of
    `trainable`.

    `layers` maps each slot of the model to its tensors by name; `image_size` is the side of the square input in
    pixels. Only the slots in `trainable` require gradients: give copies for those whose layer is shared. A network is
    always in evaluation mode, which for these ViTs (no dropout) changes nothing in training. Without a head it returns
    features. InputError when the layers do not fit the architecture.
    """

    def __init__(
        self, architecture: ViTArchitecture, layers: Layers, image_size: int, trainable: Collection[str] = ()
    ) -> None:
        super().__init__()
        architecture.check_image_size(image_size)
        self.architecture = architecture
        self.image_size = image_size
        self.num_blocks = depth_of(layers)
        self.slots = architecture.slots(self.num_blocks, adapters_of(layers), head="head" in layers)
        self.trainable = frozenset(trainable)
        self._blocks: dict[str, Stage] = {}  # slot -> stage, where that is not the module
        self.with_patches = False  # whether the head reads the mean patch token beside the class token
        if set(self.slots) != set(layers):
            wrong = ", ".join(sorted(set(self.slots) ^ set(layers)))
            raise InputError(f"the layers do not fit the architecture: missing or too many are {wrong}")
        unknown = sorted(self.trainable - set(self.slots))
        if unknown:
            raise InputError(f"slot {unknown[0]} cannot be trained: the model has no such slot")
        self.parts = nn.ModuleDict(self._parts(layers))
        self.train(False)
        for slot in self.trainable:
            for parameter in self.slot_parameters(slot).values():
                parameter.requires_grad_(True)

    def _parts(self, layers: Layers) -> dict[str, nn.Module]:
        """One module per stage, named as its slot (a module's name may hold no dot)."""
        a = self.architecture
        parts: dict[str, nn.Module] = {STEM_STAGE: Embedding(self.architecture, self.image_size)}
        below = {name: tensor for slot in STEM for name, tensor in layers.get(slot, {}).items()}
        assign(parts[STEM_STAGE], below, "embedding, cls or posembed")
        # the norms have a part even without values, since the model is pooled between them
        norms = {"norm": a.final_norm and not a.fc_norm, "fc_norm": a.final_norm and a.fc_norm}
        parts["norm"] = nn.ModuleDict({name: norm_of(a, there) for name, there in norms.items()})
        assign(parts["norm"], layers.get("norm", {}), "norm")
        for slot in self.slots:
            kind = parse(slot).kind
            if kind == "block":
                part: nn.Module = shallow_clone(block_template(a))
            elif kind == "adapter":
                dim = _rows(layers, slot, "down.weight")
                part = shallow_clone(adapter_template(a.width, dim, a.adapter_act))
            elif kind == "pool":
                part = shallow_clone(pool_template(a))
            elif kind == "head":
                part = nn.Linear(self._head_inputs(layers), _rows(layers, slot, "weight"), device="meta")
            else:
                continue
            assign(part, layers[slot], slot)
            parts[_module_name(slot)] = part
        return parts

    def stages(self) -> list[Stage]:
        """(name, function) from images (B, C, H, W) to logits: each takes what the one before it returned.

        The first, `posembed`, covers the slots `embedding`, `cls` and `posembed`; every other is named as its slot.
        What stands behind a + is the form in which a stage computes, where that is not the module's own.
        `norm` also pools, unless attention does (`pool`). Stages below the lowest trainable slot need no autograd
        and run without it.
        """
        frozen = self.frozen_stages()
        steps = self._steps()
        return [(name, partial(_frozen, step) if i < frozen else step) for i, (name, step) in enumerate(steps)]

    def _steps(self) -> list[Stage]:
        parts = self.parts
        steps: list[Stage] = [(STEM_STAGE, parts[STEM_STAGE])]
        numbered = (slot for slot in self.slots if parse(slot).number is not None)
        steps += [self._block_stage(slot) for slot in numbered]
        steps.append((_NORM_AND_PATCHES, self._norm_and_patches) if self.with_patches else ("norm", self._norm))
        if "pool" in self.slots:
            steps.append(("pool", self._pool))
        if "head" in self.slots:
            steps.append(("head", parts["head"]))
        return steps

    def frozen_stages(self) -> int:
        names = [_without_form(name) for name, _ in self._steps()]
        trained = {stage_of(slot) for slot in self.trainable}
        return next((i for i, name in enumerate(names) if name in trained), len(names))

    def slots_of_stage(self, name: str) -> tuple[str, ...]:
        return tuple(slot for slot in self.slots if stage_of(slot) == _without_form(name))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Logits (B, classes) of normalised images; features (B, width) without a head."""
        x, steps, frozen = x_BCHW, self._steps(), self.frozen_stages()
        with torch.no_grad():
            for _, step in steps[:frozen]:
                x = step(x)
        for _, step in steps[frozen:]:
            x = step(x)
        return x

    def _norm(self, x_BTH: Tensor) -> Tensor:
        norms: Any = self.parts["norm"]
        x = norms["norm"](x_BTH)
        a = self.architecture
        if a.global_pool == "map":
            return x
        if a.global_pool == "token":
            return norms["fc_norm"](x[:, 0])
        return norms["fc_norm"]((x if a.pool_include_prefix else x[:, a.prefix_tokens :]).mean(dim=1))

    def _norm_and_patches(self, x_BTH: Tensor) -> Tensor:
        """Class token and mean patch token side by side (B, 2 width): what a head of twice the width reads."""
        norms: Any = self.parts["norm"]
        x = norms["norm"](x_BTH)
        patches = x[:, self.architecture.prefix_tokens :].mean(dim=1)
        return torch.cat([norms["fc_norm"](x[:, 0]), norms["fc_norm"](patches)], dim=1)

    def _head_inputs(self, layers: Layers) -> int:
        """Width of the head's input; it tells which features the model gives."""
        a, found = self.architecture, _size(layers, "head", "weight", 1)
        self.with_patches = found == 2 * a.width and a.global_pool == "token"
        if found != a.width and not self.with_patches:
            wide = f" or {2 * a.width}" if a.global_pool == "token" else ""
            raise InputError(f"the layer in slot head reads {found} features: this architecture has {a.width}{wide}")
        return found

    def _pool(self, x_BTH: Tensor) -> Tensor:
        # contiguous: else a linear layer takes another kernel, with other bits, when its weight needs no gradient
        norms: Any = self.parts["norm"]
        a = self.architecture
        tokens = x_BTH if a.pool_include_prefix else x_BTH[:, a.prefix_tokens :]
        return norms["fc_norm"](self.parts["pool"](tokens.contiguous()))

    def on(self, device: torch.device | str, precision: str = "fp32", step: str = "plain") -> "Network":
        """Move to a device, and take the form of attention that is fastest there.

        With step `fused` blocks compute as single operations on a CPU (`munet.model.block`), in this precision, and the
        last block only what is read of it. The numbers are those of `plain` but for their last digits.

        On a CPU in bfloat16, PyTorch's fused attention is several times slower than the three operations it stands for.
        """
        plain = torch.device(device).type == "cpu" and precision == "bf16"
        for module in self.modules():
            if hasattr(module, "fused_attn"):
                module.fused_attn = module.fused_attn and not plain  # type: ignore[assignment]
        self.to(device)
        fuse = step == "fused" and torch.device(device).type == "cpu" and can_fuse(self.architecture)
        self._blocks = self._fused_blocks(precision == "bf16") if fuse else {}
        return self

    def _fused_blocks(self, bf16: bool) -> dict[str, Stage]:
        """Stage by slot, and of the last block also the form that computes the class token alone."""
        blocks: dict[str, Stage] = {}
        for slot in self.slots:
            if is_block(slot):
                fused = FusedBlock(self.parts[_module_name(slot)], self.architecture, bf16=bf16)
                blocks[slot] = (f"{slot}+fused", fused)
        last = block(self.num_blocks - 1)
        if last in blocks and self.architecture.global_pool == "token":
            module = self.parts[_module_name(last)]
            alone = FusedBlock(module, self.architecture, bf16=bf16, class_token_only=True)
            blocks[_FIRST] = (f"{last}+class token", alone)
        return blocks

    def _block_stage(self, slot: str) -> Stage:
        if slot == block(self.num_blocks - 1) and _FIRST in self._blocks and not self.with_patches:
            return self._blocks[_FIRST]
        return self._blocks.get(slot, (slot, self.parts[_module_name(slot)]))

    def slot_parameters(self, slot: str) -> dict[str, nn.Parameter]:
        """Parameters of a slot by their names in its layer."""
        if stage_of(slot) == STEM_STAGE:
            named = self.parts[STEM_STAGE].named_parameters()
            return {name: parameter for name, parameter in named if slot_of(name)[0] == slot}
        return dict(self.parts[_module_name(slot)].named_parameters())

    def trained_layers(self) -> dict[str, dict[str, Tensor]]:
        """The trainable slots' tensors, detached; they are the parameters' own memory, so copy what shall last."""
        return {
            slot: {name: parameter.detach() for name, parameter in self.slot_parameters(slot).items()}
            for slot in self.slots
            if slot in self.trainable
        }


def _without_form(stage: str) -> str:
    return stage.partition("+")[0]


def _module_name(slot: str) -> str:
    return slot.replace(".", "_")  # torch takes no dot in the name of a module


def _frozen(step: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.no_grad():
        return step(x)


def _rows(layers: Layers, slot: str, name: str) -> int:
    return _size(layers, slot, name, 0)


def _size(layers: Layers, slot: str, name: str, dim: int) -> int:
    """Size of a tensor of a layer along one of its dimensions."""
    tensor = layers[slot].get(name)
    if tensor is None:
        raise InputError(f"the layer in slot {slot} does not fit the architecture: it has no {name}")
    if tensor.ndim <= dim:
        raise InputError(f"the layer in slot {slot} does not fit the architecture: {name} is {tensor.ndim}-dimensional")
    return tensor.shape[dim]
