"""A transformer block as one autograd function, for the many small steps in which a small ViT spends its time.

PyTorch's own form of a block records some forty operations; this one is a node whose backward pass is written by hand.
It computes what timm's `Block` computes: x + s1 attn(norm1(x)), then x + s2 mlp(norm2(x)).

In bfloat16, only what the matrix products read and write is rounded: the residual stream, the norms, the sums inside of
softmax and the parameters are float32. Everything is made of products of a fixed shape: equal input, equal bits.
"""

from typing import Any

import torch
from torch import Tensor, nn

from munet.model.block_math import Backward, BlockForm, Forward
from munet.model.vit import ViTArchitecture

_NAMES = (
    "norm1.weight",
    "norm1.bias",
    "attn.qkv.weight",
    "attn.qkv.bias",
    "attn.proj.weight",
    "attn.proj.bias",
    "ls1.gamma",
    "norm2.weight",
    "norm2.bias",
    "mlp.fc1.weight",
    "mlp.fc1.bias",
    "mlp.fc2.weight",
    "mlp.fc2.bias",
    "ls2.gamma",
)
_PRODUCTS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")  # whose weights and biases are in the products' format


def can_fuse(architecture: ViTArchitecture) -> bool:
    """Whether `FusedBlock` knows the blocks of an architecture: all but those that normalise queries and keys."""
    return not architecture.qk_norm


class FusedBlock:
    """A block's module, seen as one function of (B, T, H) tokens. It holds the module's parameters, not copies.

    With `class_token_only` queries, projection and MLP are computed for the first token alone, and so is the result,
    (B, 1, H): all that is read of the last block of a network that is pooled at its class token.
    """

    def __init__(
        self, module: nn.Module, architecture: ViTArchitecture, *, bf16: bool, class_token_only: bool = False
    ) -> None:
        a = architecture
        self.form = BlockForm(a.heads, a.norm_eps, a.act, bf16, class_token_only)
        self._parameters = dict(module.named_parameters())
        self._cast: dict[str, tuple[Tensor, Tensor]] = {}  # of what is not trained: the parameter's memory, its copy

    def __call__(self, x_BTH: Tensor) -> Tensor:
        parameters = [self._parameters.get(name) for name in _NAMES]
        with torch.autocast(x_BTH.device.type, enabled=False):
            x_BTH = x_BTH.float() if self.form.bf16 else x_BTH
            return _Block.apply(self.form, self._ready(), x_BTH, *parameters)  # type: ignore[return-value]

    def _ready(self) -> dict[str, Tensor]:
        """Parameters by name, those of matrix products in their format."""
        return {name: self._in_format(name, parameter) for name, parameter in self._parameters.items()}

    def _in_format(self, name: str, parameter: Tensor) -> Tensor:
        if not self.form.bf16 or name.rpartition(".")[0] not in _PRODUCTS:
            return parameter.detach()
        if parameter.requires_grad:  # changes with every step
            return parameter.detach().to(torch.bfloat16)
        kept = self._cast.get(name)
        if kept is None or kept[0].data_ptr() != parameter.data_ptr():
            kept = self._cast[name] = (parameter.detach(), parameter.detach().to(torch.bfloat16))
        return kept[1]


class _Block(torch.autograd.Function):
    """apply(form, ready, x, *parameters in the order of _NAMES or None): `ready` are the values that are read."""

    @staticmethod
    def forward(ctx: Any, form: BlockForm, ready: dict[str, Tensor], x_BTH: Tensor, *parameters: Tensor | None) -> Any:
        way = Forward(form, ready)
        result = way.run(x_BTH.detach().contiguous())
        if any(ctx.needs_input_grad):
            ctx.form, ctx.ready, ctx.names = form, ready, tuple(way.kept)
            ctx.save_for_backward(*way.kept.values())
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_result: Tensor) -> Any:  # type: ignore[override]
        kept = dict(zip(ctx.names, ctx.saved_tensors, strict=True))
        wanted = {name for name, need in zip(_NAMES, ctx.needs_input_grad[3:], strict=True) if need}
        way = Backward(ctx.form, ctx.ready, kept, wanted)
        d_x = way.run(d_result.contiguous(), ctx.needs_input_grad[2])
        return (None, None, d_x, *(way.found.get(name) for name in _NAMES))
