"""How large and how expensive a model is: parameters per slot, accounted parameters, FLOPs. Pure arithmetic."""

from collections.abc import Collection, Mapping

from .architecture import Architecture

_NORM = 8  # operations per element of a LayerNorm, and of a GELU
_SOFTMAX = 5  # operations per entry of an attention matrix


def slot_sizes(
    architecture: Architecture,
    num_blocks: int,
    image_size: int,
    classes: int | None = None,
    adapters: Mapping[int, int] | None = None,
) -> dict[str, int]:
    """Number of parameters of each slot; `adapters` maps a block to the hidden width of the adapter before it."""
    a, h, adapters = architecture, architecture.width, adapters or {}
    sizes: dict[str, int] = {}
    for slot in a.slots(num_blocks, tuple(adapters), head=classes is not None):
        kind, _, number = slot.partition(".")
        if kind == "embedding":
            sizes[slot] = a.channels * a.patch_size**2 * h + h * a.patch_bias + 2 * h * a.pre_norm
        elif kind == "cls":
            sizes[slot] = a.prefix_tokens * h
        elif kind == "posembed":
            sizes[slot] = a.posembed_rows(image_size) * h
        elif kind == "adapter":
            sizes[slot] = adapter_size(h, adapters[int(number)])
        elif kind == "block":
            sizes[slot] = _block_size(a)
        elif kind == "norm":
            sizes[slot] = 2 * h
        elif kind == "pool":
            sizes[slot] = _pool_size(a)
        elif classes is not None:
            sizes[slot] = h * classes + classes
    return sizes


def adapter_size(width: int, dim: int) -> int:
    """Parameters of a residual adapter: norm, dense to `dim`, dense back (muNet sec. 3)."""
    return 2 * width * dim + 3 * width + dim


def _block_size(a: Architecture) -> int:
    h, m = a.width, a.mlp_hidden
    attention = 3 * h * h + 3 * h * a.qkv_bias + h * h + h * a.proj_bias + 4 * (h // a.heads) * a.qk_norm
    mlp = 2 * h * m + (m + h) * a.proj_bias
    return attention + mlp + 2 * 2 * h + 2 * h * a.layer_scale


def _pool_size(a: Architecture) -> int:
    h, m = a.width, a.mlp_hidden
    # latent, q, kv, proj, norm, mlp; all dense layers of the pool have a bias
    return h + (h * h + h) + (2 * h * h + 2 * h) + (h * h + h) + 2 * h + (2 * h * m + m + h)


def accounted_parameters(
    sizes: Mapping[str, int],
    layers: Mapping[str, str],
    owners: Mapping[str, Collection[str | None]],
    task: str,
) -> float:
    """Parameters of a model, each layer divided by the number of tasks that share it (muNet eq. 4, mu2Net+ eq. 2).

    `sizes` and `layers` map the model's slots to their number of parameters and their layer; `owners` maps a layer to
    the tasks whose retained model uses it, each once. The model's own `task` always counts as one of them, the root
    (task None) never does.
    """
    total = 0.0
    for slot, layer in layers.items():
        tasks = owners.get(layer, ())
        total += sizes[slot] / (len(tasks) - (None in tasks) + (task not in tasks))
    return total


def flops(
    architecture: Architecture,
    num_blocks: int,
    image_size: int,
    classes: int,
    adapters: Mapping[int, int] | None = None,
) -> int:
    """Floating-point operations of one forward pass of one image; a multiply-add counts as two (mu2Net+ eq. 1).

    Matrix products, plus per element: 8 for LayerNorm and GELU, 1 for a bias or a residual sum, and 5 per entry of a
    softmax. `adapters` maps a block to the hidden width of the adapter before it.
    """
    a, h, tokens = architecture, architecture.width, architecture.tokens(image_size)
    patches = a.grid(image_size) ** 2
    total = 2 * patches * a.channels * a.patch_size**2 * h + patches * h * a.patch_bias
    total += a.posembed_rows(image_size) * h + tokens * _NORM * h * a.pre_norm
    total += num_blocks * _block_flops(a, tokens)
    for dim in (adapters or {}).values():
        total += tokens * (4 * h * dim + _NORM * h + (_NORM + 1) * dim + 2 * h)
    total += _pooling_flops(a, tokens)
    return total + 2 * h * classes + classes


def _mlp_flops(a: Architecture, tokens: int) -> int:
    h, m = a.width, a.mlp_hidden
    return tokens * (4 * h * m + _NORM * h + _NORM * m + (m + h) * a.proj_bias + h)


def _block_flops(a: Architecture, tokens: int) -> int:
    h = a.width
    dense = tokens * (8 * h * h + 3 * h * a.qkv_bias + h * a.proj_bias)
    attention = 4 * tokens * tokens * h + _SOFTMAX * a.heads * tokens * tokens
    norms = tokens * (_NORM * h + 2 * _NORM * h * a.qk_norm)
    return dense + attention + norms + tokens * h + _mlp_flops(a, tokens) + 2 * tokens * h * a.layer_scale


def _pooling_flops(a: Architecture, tokens: int) -> int:
    h = a.width
    pooled = tokens if a.pool_include_prefix else tokens - a.prefix_tokens
    norm = _NORM * h * a.final_norm * (1 if a.fc_norm else tokens)
    if a.global_pool == "avg":
        return norm + pooled * h
    if a.global_pool == "map":
        attention = 4 * h * h + 2 * h + pooled * (4 * h * h + 2 * h) + 4 * pooled * h + _SOFTMAX * a.heads * pooled
        return norm + attention + _mlp_flops(a, 1)
    return norm
