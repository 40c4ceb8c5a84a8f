"""munet: one multitask vision system that many people grow together (muNet, mu2Net and mu2Net+ in PyTorch)."""

import os

if os.name != "posix":
    raise ImportError("munet runs on Linux and macOS: its files are locked as only those can (on Windows use WSL)")

import lazy_loader

from munet.provenance import VERSION as __version__

# Public names load on first use, so that `munet --help` never waits for torch; `__init__.pyi` lists them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
