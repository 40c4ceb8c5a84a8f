"""Which device computes."""

from .errors import InputError


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
