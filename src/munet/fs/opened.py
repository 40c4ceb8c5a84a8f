"""Addresses that a user has opened of their own accord: sources of images, places where layers lie.

A system that came from elsewhere names folders, archives, data sets and stores. To open one is to read files of this
machine, or to ask what a stranger chose. So what was opened is remembered in a file of the user, as hashes, one a line;
nothing in a system can put itself there.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_here: set[str] = set()  # of this process, which counts also where the file cannot be written


def state_folder() -> Path:
    """$MUNET_STATE, else munet in $XDG_STATE_HOME, else ~/.local/state/munet. It need not exist."""
    if given := os.environ.get("MUNET_STATE"):
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.local/state").expanduser()) / "munet"


def remember(addresses: Iterable[str]) -> None:
    """From now on these may be opened."""
    new = {_digest(address) for address in addresses} - _known()
    _here.update(new)
    with suppress(OSError):
        folder = state_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "sources").open("a") as file:
            file.write("".join(f"{digest}\n" for digest in sorted(new)))


def is_remembered(address: str) -> bool:
    """Whether somebody on this machine asked for an address."""
    return _digest(address) in _here or _digest(address) in _known()


def _known() -> set[str]:
    try:
        return set((state_folder() / "sources").read_text().split())
    except (OSError, ValueError):
        return set()


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
