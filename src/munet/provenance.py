"""What a record says of its making: when, with what, on which machine. Nothing that is hashed holds any of it."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version


def now() -> str:
    """UTC time to the second, for run records only: nothing that is hashed holds a clock."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of what may change the numbers."""
    found = {"python": platform.python_version()}
    for package in ("munet-ml", "torch", "timm", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
