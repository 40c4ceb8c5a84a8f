"""How large and how expensive a model is: parameters per slot, accounted parameters, FLOPs. Pure arithmetic."""

from collections.abc import Collection, Mapping

from munet.model.slots import STEM_STAGE, adapter, block, parse, stage_of
from munet.model.vit import ViTArchitecture

_NORM = 8  # operations per element of a LayerNorm, and of a GELU
_SOFTMAX = 5  # operations per entry of an attention matrix


def slot_sizes(
    architecture: ViTArchitecture,
    num_blocks: int,
    image_size: int,
    classes: int | None = None,
    adapters: Mapping[int, int] | None = None,
    head_inputs: int | None = None,
) -> dict[str, int]:
    """Number of parameters of each slot; `adapters` maps a block to the hidden width of the adapter before it.

    `head_inputs` are the features that the head reads, where they are not as many as the network is wide.
    """
    a, h, adapters = architecture, architecture.width, adapters or {}
    sizes: dict[str, int] = {}
    for slot in a.slots(num_blocks, tuple(adapters), head=classes is not None):
        kind, number, _ = parse(slot)
        if kind == "embedding":
            sizes[slot] = a.channels * a.patch_size**2 * h + h * a.patch_bias + 2 * h * a.pre_norm
        elif kind == "cls":
            sizes[slot] = a.prefix_tokens * h
        elif kind == "posembed":
            sizes[slot] = a.posembed_rows(image_size) * h
        elif kind == "adapter" and number is not None:
            sizes[slot] = adapter_size(h, adapters[number])
        elif kind == "block":
            sizes[slot] = _block_size(a)
        elif kind == "norm":
            sizes[slot] = 2 * h
        elif kind == "pool":
            sizes[slot] = _pool_size(a)
        elif classes is not None:
            sizes[slot] = (head_inputs or h) * classes + classes
    return sizes


def adapter_size(width: int, dim: int) -> int:
    """Parameters of a residual adapter: norm, dense to `dim`, dense back (muNet sec. 3)."""
    return 2 * width * dim + 3 * width + dim


def _block_size(a: ViTArchitecture) -> int:
    h, m = a.width, a.mlp_hidden
    attention = 3 * h * h + 3 * h * a.qkv_bias + h * h + h * a.proj_bias + 4 * (h // a.heads) * a.qk_norm
    mlp = 2 * h * m + (m + h) * a.proj_bias
    return attention + mlp + 2 * 2 * h + 2 * h * a.layer_scale


def _pool_size(a: ViTArchitecture) -> int:
    h, m = a.width, a.mlp_hidden
    # latent, q, kv, proj, norm, mlp; all dense layers of the pool have a bias
    return h + (h * h + h) + (2 * h * h + 2 * h) + (h * h + h) + 2 * h + (2 * h * m + m + h)


def accounted_parameters(
    sizes: Mapping[str, int],
    layers: Mapping[str, str],
    owners: Mapping[str, Collection[str | None]],
    task: str,
) -> float:
    """Parameters of a model, each layer divided by the number of tasks that share it (muNet eq. 3, mu2Net+ eq. 2).

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
    architecture: ViTArchitecture,
    num_blocks: int,
    image_size: int,
    classes: int,
    adapters: Mapping[int, int] | None = None,
) -> int:
    """Floating-point operations of one forward pass of one image; a multiply-add counts as two (mu2Net+ eq. 1)."""
    return sum(stage_flops(architecture, num_blocks, image_size, classes, adapters).values())


def stage_flops(
    architecture: ViTArchitecture,
    num_blocks: int,
    image_size: int,
    classes: int,
    adapters: Mapping[int, int] | None = None,
    head_inputs: int | None = None,
) -> dict[str, int]:
    """Operations of each stage of one forward pass of one image, in forward order.

    Matrix products, plus per element: 8 for LayerNorm and GELU, 1 for a bias or a residual sum, and 5 per entry of a
    softmax. `adapters` maps a block to the hidden width of the adapter before it. The stages are those of the network,
    named as `munet.model.slots.stage_of` does, but that `norm` stands for `pool` too.
    """
    a, h, tokens = architecture, architecture.width, architecture.tokens(image_size)
    patches = a.grid(image_size) ** 2
    stem = 2 * patches * a.channels * a.patch_size**2 * h + patches * h * a.patch_bias
    stages = {STEM_STAGE: stem + a.posembed_rows(image_size) * h + tokens * _NORM * h * a.pre_norm}
    for number in range(num_blocks):
        if adapters and number in adapters:
            dim = adapters[number]
            stages[adapter(number)] = tokens * (4 * h * dim + _NORM * h + (_NORM + 1) * dim + 2 * h)
        stages[block(number)] = _block_flops(a, tokens)
    norm = _pooling_flops(a, tokens) + (tokens * h if head_inputs not in (None, h) else 0)  # and the mean patch token
    return stages | {"norm": norm, "head": 2 * (head_inputs or h) * classes + classes}


def training_flops(stages: Mapping[str, int], trainable: Collection[str]) -> int:
    """Operations of training on one image: forward, and backward down to the lowest stage that is trained.

    `stages` as `stage_flops` gives them, `trainable` the slots that are trained. A backward pass costs as much as the
    stage's forward pass for the gradients of its input, and again for those of its weights. It is what a plain loop
    spends: what siblings share may be computed once, and then costs less.
    """
    trained = {"norm" if slot == "pool" else stage_of(slot) for slot in trainable}
    total = sum(stages.values())
    above = False  # a stage that is trained lies below
    for stage, cost in stages.items():
        weights = stage in trained
        inputs = above or (weights and parse(stage).number is not None)  # gradients pass from part to part in it
        total += cost * (weights + inputs)
        above = above or weights
    return total


def _mlp_flops(a: ViTArchitecture, tokens: int) -> int:
    h, m = a.width, a.mlp_hidden
    return tokens * (4 * h * m + _NORM * h + _NORM * m + (m + h) * a.proj_bias + h)


def _block_flops(a: ViTArchitecture, tokens: int) -> int:
    h = a.width
    dense = tokens * (8 * h * h + 3 * h * a.qkv_bias + h * a.proj_bias)
    attention = 4 * tokens * tokens * h + _SOFTMAX * a.heads * tokens * tokens
    norms = tokens * (_NORM * h + 2 * _NORM * h * a.qk_norm)
    return dense + attention + norms + tokens * h + _mlp_flops(a, tokens) + 2 * tokens * h * a.layer_scale


def _pooling_flops(a: ViTArchitecture, tokens: int) -> int:
    h = a.width
    pooled = tokens if a.pool_include_prefix else tokens - a.prefix_tokens
    norm = _NORM * h * a.final_norm * (1 if a.fc_norm else tokens)
    if a.global_pool == "avg":
        return norm + pooled * h
    if a.global_pool == "map":
        attention = 4 * h * h + 2 * h + pooled * (4 * h * h + 2 * h) + 4 * pooled * h + _SOFTMAX * a.heads * pooled
        return norm + attention + _mlp_flops(a, 1)
    return norm
