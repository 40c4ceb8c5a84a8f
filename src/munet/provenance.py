"""What a record says of its making: when, with what, on which machine. Nothing that is hashed holds any of it."""

import getpass
import os
import platform
import socket
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

VERSION = "0.1.0"


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


def machine() -> dict[str, Any]:
    """What computes."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}


def person() -> dict[str, str]:
    """Who asks, and on which machine, so that others know whom a run belongs to."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without a list of users
        user = f"user {os.getuid()}"
    return {"user": user, "host": socket.gethostname()}


def author() -> str:
    """Who evolves, as those see it with whom a system is shared: $MUNET_AUTHOR, else `user@host`."""
    found = person()
    return os.environ.get("MUNET_AUTHOR", "").strip()[:100] or f"{found['user']}@{found['host']}"
