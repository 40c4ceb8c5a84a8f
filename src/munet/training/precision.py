"""The number format of matrix products. Parameters, momentum and losses are float32 in either."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from munet.errors import InputError, suggest

if TYPE_CHECKING:
    import torch

PRECISIONS = ("fp32", "bf16")


def check_precision(precision: str) -> None:
    """Raises InputError for an unknown precision."""
    if precision not in PRECISIONS:
        raise InputError(f"unknown precision '{precision}'{suggest(precision, PRECISIONS)}; known: auto, fp32, bf16")


def autocast(device: "torch.device | str", precision: str) -> AbstractContextManager[object]:
    """Nothing for fp32; matrix products in bfloat16 for bf16. InputError for another precision."""
    check_precision(precision)
    if precision == "fp32":
        return nullcontext()
    import torch

    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
