"""What a plain vision transformer is, apart from its weights, its depth and its image size. Needs no torch.

`munet.model.slots` tells what the slots of a model are.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from munet.errors import InputError
from munet.model.slots import body

ACTIVATIONS = ("gelu", "gelu_tanh", "quick_gelu")
ADAPTER_ACTIVATIONS = ("gelu", "gelu_tanh")
POOLS = ("token", "avg", "map")
_RANGES = (
    ("patch_size", 1, 1024),
    ("width", 1, 1 << 16),
    ("heads", 1, 1024),
    ("mlp_hidden", 1, 1 << 20),
    ("channels", 1, 1024),
    ("reg_tokens", 0, 1024),
    ("norm_eps", 0, 1),
)


@dataclass(frozen=True)
class ViTArchitecture:
    """Every fact of a plain ViT except depth and image size; equal architectures can share layers.

    `mlp_hidden` is the width between the two dense layers of a block (and of an attention pool). `pre_norm` is the
    norm between position embedding and blocks of the CLIP towers, whose patch convolution has no bias.
    `no_embed_class` means that the position embedding has no rows for class and register tokens. `mean` and `std`
    (one value per channel, of pixels scaled to 0..1) are how the pretrained weights want their input. `adapter_act` is
    the activation of residual adapters, whatever that of the blocks is.
    """

    patch_size: int
    width: int
    heads: int
    mlp_hidden: int
    channels: int = 3
    act: str = "gelu"
    norm_eps: float = 1e-6
    qkv_bias: bool = True
    qk_norm: bool = False
    proj_bias: bool = True
    class_token: bool = True
    reg_tokens: int = 0
    no_embed_class: bool = False
    pre_norm: bool = False
    layer_scale: bool = False
    global_pool: str = "token"
    final_norm: bool = True
    fc_norm: bool = False
    pool_include_prefix: bool = False
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    adapter_act: str = "gelu"

    def __post_init__(self) -> None:
        if self.act not in ACTIVATIONS:
            raise InputError(f"activation '{self.act}' is not one of {', '.join(ACTIVATIONS)}")
        if self.adapter_act not in ADAPTER_ACTIVATIONS:
            known = ", ".join(ADAPTER_ACTIVATIONS)
            raise InputError(f"activation '{self.adapter_act}' of adapters is not one of {known}")
        if self.global_pool not in POOLS:
            raise InputError(f"pooling '{self.global_pool}' is not one of {', '.join(POOLS)}")
        for name, least, most in _RANGES:
            if not least <= getattr(self, name) <= most:
                raise InputError(f"the architecture's {name} cannot be {getattr(self, name)}: {least} to {most}")
        if len(self.mean) != self.channels or len(self.std) != self.channels or 0 in self.std:
            text = f"mean {self.mean} and std {self.std}"
            raise InputError(f"{text}: there should be {self.channels} numbers in each, one a channel, and no std of 0")
        if self.width % self.heads:
            raise InputError(f"width {self.width} does not divide by {self.heads} heads")
        if self.global_pool == "token" and not self.class_token:
            raise InputError("pooling 'token' needs a class token")

    @property
    def patch_bias(self) -> bool:
        """Whether the patch convolution has a bias: in all plain ViTs, unless a norm follows it."""
        return not self.pre_norm

    @property
    def prefix_tokens(self) -> int:
        """Class and register tokens in front of the patches."""
        return int(self.class_token) + self.reg_tokens

    def grid(self, image_size: int) -> int:
        """Patches along one side of the image."""
        self.check_image_size(image_size)
        return image_size // self.patch_size

    def tokens(self, image_size: int) -> int:
        """Length of the sequence that the blocks see."""
        return self.grid(image_size) ** 2 + self.prefix_tokens

    def posembed_rows(self, image_size: int) -> int:
        """Rows of the position embedding."""
        return self.grid(image_size) ** 2 + (0 if self.no_embed_class else self.prefix_tokens)

    def check_image_size(self, image_size: int) -> None:
        """InputError unless whole patches cover a square image of this side, in pixels."""
        if image_size >= self.patch_size and image_size % self.patch_size == 0:
            return
        below = image_size // self.patch_size * self.patch_size
        near = [str(size) for size in (below, below + self.patch_size) if size > 0]
        raise InputError(
            f"image size {image_size} is not a multiple of the patch size {self.patch_size}: use {' or '.join(near)}"
        )

    def slots(self, num_blocks: int, adapters: Collection[int] = (), head: bool = True) -> tuple[str, ...]:
        """Slots of a model in forward order; a slot that would hold no tensor is left out."""
        names = ["embedding"]
        if self.class_token or self.reg_tokens:
            names.append("cls")
        names.append("posembed")
        names += body(num_blocks, adapters)
        if self.final_norm:
            names.append("norm")
        if self.global_pool == "map":
            names.append("pool")
        if head:
            names.append("head")
        return tuple(names)

    def head_inputs(self, head_features: str = "pooled") -> int:
        """Features that a head reads: the pooled ones, or class token and mean patch token side by side."""
        return 2 * self.width if head_features == "class-token+patches" else self.width

    def to_json(self) -> dict[str, Any]:
        """Flat dict of JSON values. `adapter_act` is in it only where it is not the usual one: the ids of models that
        never needed it stay what they are, and a munet that does not know it refuses the others."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {name: value for name, value in values.items() if name != "adapter_act" or value != "gelu"}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ViTArchitecture":
        """Inverse of `to_json`; InputError for facts that this version does not know."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f"the architecture has '{unknown[0]}', which this version of munet does not know: update it",
                kind="newer-format",
            )
        for name, kind in get_type_hints(cls).items():
            if name in values and not _is(values[name], kind):
                raise InputError(f"the architecture's {name} cannot be {values[name]!r}")
        facts: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in values.items()}
        return cls(**facts)


def _is(value: object, kind: Any) -> bool:
    if kind is bool or kind is str:
        return isinstance(value, kind)
    if kind is int:
        return type(value) is int
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list | tuple) and all(_is(part, float) for part in value)
