from .errors import DamagedError, InputError, MunetError, StoreError
from .evolution.options import Budget, Where
from .evolution.start import estimate, evolve, resume
from .system import System

__version__: str
__all__ = [
    "Budget",
    "DamagedError",
    "InputError",
    "MunetError",
    "StoreError",
    "System",
    "Where",
    "__version__",
    "estimate",
    "evolve",
    "resume",
]
