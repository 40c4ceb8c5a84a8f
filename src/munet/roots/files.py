"""Reading weight files that users name, with errors that name the file."""

from pathlib import Path
from typing import TYPE_CHECKING

from munet.errors import InputError

_PICKLES = (".pth", ".pt", ".bin", ".ckpt", ".pkl")

if TYPE_CHECKING:
    from torch import Tensor


def read_safetensors(path: Path) -> "dict[str, Tensor]":
    """Tensors of a safetensors file on the CPU."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    check_file(path)
    if path.suffix.lower() in _PICKLES:
        raise InputError(f"{path} is a pickle, which munet never opens: convert it once, {_conversion(path)}")
    if path.suffix.lower() == ".npz":
        raise InputError(f"{path} is an archive of arrays, which is a root of its own: say --root npz:{path} alone")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise InputError(f"{path} is no whole safetensors file ({error}): fetch or export it again") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _conversion(path: Path) -> str:
    """A command that makes a safetensors file of a state dict that PyTorch saved."""
    load = f"d = torch.load({str(path)!r}, map_location='cpu', weights_only=True)"
    inner = "d = d.get('state_dict', d.get('model', d))"
    save = f"save_file({{k: v.contiguous() for k, v in d.items()}}, {str(path.with_suffix('.safetensors'))!r})"
    return f'python -c "import torch; from safetensors.torch import save_file; {load}; {inner}; {save}"'


def check_file(path: Path) -> None:
    """InputError unless `path` is a file."""
    if not path.is_file():
        raise InputError(
            f"{path} is {'a folder' if path.is_dir() else 'not there'}: give the path of a weight file",
            kind="missing-file",
        )
