"""munet: one multitask vision system that many people grow together (muNet, mu2Net and mu2Net+ in PyTorch)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from munet.errors import DamagedError, InputError, MunetError, StoreError
    from munet.evolution.loop import evolve
    from munet.system import System

__version__ = "0.1.0"
__all__ = ["DamagedError", "InputError", "MunetError", "StoreError", "System", "__version__", "evolve"]

_HOMES = {"System": "system", "evolve": "evolution"} | dict.fromkeys(
    ("MunetError", "InputError", "StoreError", "DamagedError"), "errors"
)


def __getattr__(name: str) -> Any:
    # Public names load on first use, so that `munet --help` never waits for torch.
    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'munet' has no attribute '{name}'")
