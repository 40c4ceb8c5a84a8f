"""The device that computes, its number format, and how much of its memory may cache activations."""

import os

from munet.errors import InputError

_CACHE_SHARE = 4  # a quarter of the memory
_CACHE_MOST = 8 << 30


def choose_device(name: str = "auto") -> str:
    """`auto` is the first GPU where there is one, else the CPU. Raises InputError for a device that is not there."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device '{name}' cannot be used here: choose cpu, cuda or auto") from error
    return str(device)


def choose_precision(name: str, device: str) -> str:
    """`auto` is bf16 on a GPU that computes in it, else fp32. Raises InputError for an unknown precision."""
    import torch

    from munet.training import check_precision

    if name != "auto":
        check_precision(name)
        return name
    fast = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if fast else "fp32"


def fast_bf16(device: str) -> bool:
    """Whether a device has instructions for matrix products in bfloat16: read from what it says, not timed, so that
    the answer is the same in every run."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def preferred_precision(device: str) -> str:
    """The precision that is fastest where blocks are computed in the fused form: bf16 where there are instructions."""
    return "bf16" if fast_bf16(device) else "fp32"


def cache_bytes(wanted: int | None, device: str, workers: int) -> int:
    """Bytes of activations that each of the workers on a device may keep: a part of `wanted`, which is for all.

    By default a quarter of the memory, of the device where that is a GPU, and at most 8 GiB.
    """
    if wanted is not None:
        if wanted < 0:
            raise InputError(f"cache memory is {wanted} bytes: give 0 or more")
        return wanted // workers
    return min(_memory(device) // _CACHE_SHARE, _CACHE_MOST) // workers


def _memory(device: str) -> int:
    if device.startswith("cuda"):
        import torch

        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
