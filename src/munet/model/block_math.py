"""The arithmetic of a transformer block, forwards and backwards, without autograd (see `munet.model.block`).

`p` holds a block's values by name, those of matrix products in the products' format, bfloat16 or the type of the input.
Tokens are (B, T, H); the rows of matrix products (N, .) are all tokens of a batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_QUICK = 1.702  # of CLIP's approximation of GELU


@dataclass(frozen=True)
class BlockForm:
    """What a block computes beside its parameters."""

    heads: int
    eps: float
    act: str  # gelu, gelu_tanh or quick_gelu
    bf16: bool = False  # matrix products in bfloat16; else in the type of the input
    class_token_only: bool = False  # the result holds the first token only, (B, 1, H)


class Forward:
    """One pass; `kept` is what the way back needs."""

    def __init__(self, form: BlockForm, p: dict[str, Tensor]) -> None:
        self.form, self.p = form, p
        self.kept: dict[str, Tensor] = {}

    def run(self, x: Tensor) -> Tensor:
        """The block of tokens (B, T, H): (B, T, H), or (B, 1, H) where the form wants the first token only."""
        return self._mlp(self._attention(x))

    def _attention(self, x: Tensor) -> Tensor:
        """x + s1 attn(norm1(x))."""
        (batch, tokens, width), heads = x.shape, self.form.heads
        y = self._norm("norm1", x)
        if self.form.class_token_only:
            q = self._linear("attn.qkv", y.view(x.shape)[:, 0], slice(0, width)).view(batch * heads, 1, -1)
            pairs = self._linear("attn.qkv", y, slice(width, None)).view(batch, tokens, 2, heads, -1)
            k, v = pairs.permute(2, 0, 3, 1, 4).reshape(2, batch * heads, tokens, -1)
            x = x[:, :1]
        else:
            triples = self._linear("attn.qkv", y).view(batch, tokens, 3, heads, -1)
            q, k, v = triples.permute(2, 0, 3, 1, 4).reshape(3, batch * heads, tokens, -1)
        scores = torch.baddbmm(_nothing(q), q, k.transpose(1, 2), beta=0, alpha=q.shape[-1] ** -0.5)
        weights = torch.softmax(scores, -1)
        mixed = torch.bmm(weights, v).view(batch, heads, -1, q.shape[-1]).transpose(1, 2).reshape(-1, width)
        self.kept.update({"y1": y, "q": q, "k": k, "v": v, "weights": weights, "mixed": mixed})
        return self._add_scaled("ls1.gamma", x, self._linear("attn.proj", mixed))

    def _mlp(self, x: Tensor) -> Tensor:
        """x + s2 mlp(norm2(x))."""
        y = self._norm("norm2", x)
        inner = self._linear("mlp.fc1", y)
        active = _activate(self.form.act, inner)
        self.kept.update({"y2": y, "inner": inner, "active": active})
        return self._add_scaled("ls2.gamma", x, self._linear("mlp.fc2", active))

    def _norm(self, name: str, x: Tensor) -> Tensor:
        """LayerNorm over (..., H), as rows (N, H) in the products' format."""
        weight, bias = self.p[f"{name}.weight"], self.p[f"{name}.bias"]
        y, mean, rstd = torch.native_layer_norm(x, x.shape[-1:], weight, bias, self.form.eps)
        self.kept.update({f"{name}.x": x, f"{name}.mean": mean, f"{name}.rstd": rstd})
        y = y.view(-1, x.shape[-1])
        return y.to(torch.bfloat16) if self.form.bf16 else y

    def _linear(self, name: str, x: Tensor, rows: slice = slice(None)) -> Tensor:
        """x (N, K) times some rows of a weight (M, K), plus its bias if it has one."""
        weight, bias = self.p[f"{name}.weight"][rows], self.p.get(f"{name}.bias")
        return torch.mm(x, weight.t()) if bias is None else torch.addmm(bias[rows], x, weight.t())

    def _add_scaled(self, name: str, x: Tensor, out: Tensor) -> Tensor:
        """x + gamma out, in the type of x; gamma is 1 where the block has no layer scale."""
        out = out.to(x.dtype).view(x.shape)
        if name not in self.p:
            return x + out
        self.kept[name] = out
        return torch.addcmul(x, out, self.p[name])


class Backward:
    """The way back from what `Forward` kept. `found` are the gradients of the parameters in `wanted`, in their type."""

    def __init__(self, form: BlockForm, p: dict[str, Tensor], kept: dict[str, Tensor], wanted: set[str]) -> None:
        self.form, self.p, self.kept, self.wanted = form, p, kept, wanted
        self.found: dict[str, Tensor] = {}

    def run(self, d: Tensor, need: bool) -> Tensor | None:
        """Gradient of the input from that of the result; None, and no work for it, where there is no `need`."""
        below = need or any(not name.startswith(("norm2", "mlp", "ls2")) for name in self.wanted)
        d = self._mlp(d, below)
        return self._attention(d, need) if below else None

    def _mlp(self, d: Tensor, below: bool) -> Tensor:
        d_out = self._scaled("ls2.gamma", d)
        self._linear("mlp.fc2", d_out, self.kept["active"])
        d_active = torch.mm(d_out, self.p["mlp.fc2.weight"])
        d_inner = _activation_backward(self.form.act, d_active, self.kept["inner"])
        self._linear("mlp.fc1", d_inner, self.kept["y2"])
        d_x = self._norm("norm2", torch.mm(d_inner, self.p["mlp.fc1.weight"]), below)
        return d_x.add_(d) if below else d

    def _attention(self, d: Tensor, need: bool) -> Tensor | None:
        x, y = self.kept["norm1.x"], self.kept["y1"]
        width = x.shape[-1]
        d_out = self._scaled("ls1.gamma", d)
        self._linear("attn.proj", d_out, self.kept["mixed"])
        d_q, d_kv = self._heads(torch.mm(d_out, self.p["attn.proj.weight"]))
        weight = self.p["attn.qkv.weight"]
        through = need or not self.wanted.isdisjoint(("norm1.weight", "norm1.bias"))
        d_y: Tensor | None = None
        if self.form.class_token_only:
            self._linear("attn.qkv", d_q, y.view(x.shape)[:, 0])
            above = {name: self.found.pop(name) for name in ("attn.qkv.weight", "attn.qkv.bias") if name in self.found}
            self._linear("attn.qkv", d_kv, y)
            self.found.update({name: torch.cat([rows, self.found[name]]) for name, rows in above.items()})
            if through:
                d_y = torch.mm(d_kv, weight[width:]).to(x.dtype)
                d_y.view(x.shape)[:, 0] += torch.mm(d_q, weight[:width])
        else:
            d_qkv = torch.cat([d_q, d_kv], dim=1)
            self._linear("attn.qkv", d_qkv, y)
            d_y = torch.mm(d_qkv, weight) if through else None
        if d_y is None:
            return None
        d_x = self._norm("norm1", d_y, need)
        if need:
            d_x[:, : d.shape[1]] += d
        return d_x if need else None

    def _heads(self, d_mixed: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of queries (N, H) and of keys and values (N, 2 H) from that of what the heads give, (N, H)."""
        q, k, v, weights = (self.kept[name] for name in ("q", "k", "v", "weights"))
        (batch, tokens, width), heads = self.kept["norm1.x"].shape, self.form.heads
        queries, size = q.shape[1:]
        d_mixed = d_mixed.view(batch, queries, heads, size).transpose(1, 2).reshape(batch * heads, queries, size)
        d_weights = torch.bmm(d_mixed, v.transpose(1, 2))
        d_scores = torch.ops.aten._softmax_backward_data(d_weights, weights, -1, weights.dtype)
        scale, nothing = size**-0.5, _nothing(q)
        d_q = torch.baddbmm(nothing, d_scores, k, beta=0, alpha=scale)
        d_kv = q.new_empty((2, *k.shape))
        torch.baddbmm(nothing, d_scores.transpose(1, 2), q, beta=0, alpha=scale, out=d_kv[0])
        torch.bmm(weights.transpose(1, 2), d_mixed, out=d_kv[1])
        # heads back beside each other: (B heads, T, size) -> rows (B T, H)
        d_q = d_q.view(batch, heads, queries, size).transpose(1, 2).reshape(-1, width)
        d_kv = d_kv.view(2, batch, heads, tokens, size).permute(1, 3, 0, 2, 4).reshape(-1, 2 * width)
        return d_q, d_kv

    def _norm(self, name: str, d: Tensor, need: bool) -> Tensor:
        """Gradient of a norm's input, from rows (N, H); undefined without `need`."""
        x, mean, rstd = (self.kept[f"{name}.{what}"] for what in ("x", "mean", "rstd"))
        weight, bias = f"{name}.weight", f"{name}.bias"
        mask = [need, weight in self.wanted, bias in self.wanted]
        d = d.to(x.dtype).view(x.shape)
        values = self.p[weight], self.p[bias]
        d_x, d_w, d_b = torch.ops.aten.native_layer_norm_backward(d, x, x.shape[-1:], mean, rstd, *values, mask)
        self.found.update({key: value for key, value in ((weight, d_w), (bias, d_b)) if key in self.wanted})
        return d_x

    def _linear(self, name: str, d: Tensor, x: Tensor) -> None:
        """Gradients of a weight and its bias."""
        weight, bias, dtype = f"{name}.weight", f"{name}.bias", self.kept["norm1.x"].dtype
        if weight in self.wanted:
            self.found[weight] = torch.mm(d.t(), x).to(dtype)
        if bias in self.wanted:
            self.found[bias] = d.sum(0).to(dtype)

    def _scaled(self, name: str, d: Tensor) -> Tensor:
        """Gradient of `out` in `Forward._add_scaled`, rows (N, H) in the products' format."""
        if name in self.p:
            if name in self.wanted:
                self.found[name] = (d * self.kept[name]).flatten(0, -2).sum(0)
            d = d * self.p[name]
        d = d.reshape(-1, d.shape[-1])
        return d.to(torch.bfloat16) if self.form.bf16 else d


def _activate(act: str, x: Tensor) -> Tensor:
    if act == "quick_gelu":
        return x * torch.sigmoid(_QUICK * x)
    return F.gelu(x, approximate="tanh" if act == "gelu_tanh" else "none")


def _activation_backward(act: str, d: Tensor, x: Tensor) -> Tensor:
    if act == "quick_gelu":
        s = torch.sigmoid(_QUICK * x)
        return d * (s + _QUICK * x * s * (1 - s))
    return torch.ops.aten.gelu_backward(d, x, approximate="tanh" if act == "gelu_tanh" else "none")


def _nothing(like: Tensor) -> Tensor:
    """What a product with beta = 0 is added to."""
    return like.new_empty(())
