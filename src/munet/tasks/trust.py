"""Whose sources are opened: those of tasks that somebody on this machine added, moved here or said to trust.

A system that came from elsewhere names folders, archives and data sets of the hub. To open one is to read files of this
machine, or to fetch what a stranger chose. So the addresses that a user has opened of their own accord are remembered
in a file of that user, as hashes, one a line; nothing in a system can put itself there.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from munet.errors import InputError
from munet.store.schema import TaskData
from munet.tasks.reopen import NO_DATA

_here: set[str] = set()  # of this process, which counts also where the file cannot be written


def state_folder() -> Path:
    """$MUNET_STATE, else munet in $XDG_STATE_HOME, else ~/.local/state/munet. It need not exist."""
    if given := os.environ.get("MUNET_STATE"):
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.local/state").expanduser()) / "munet"


def trust(addresses: Iterable[str]) -> None:
    """Remember addresses whose images may be opened from now on."""
    new = {_digest(address) for address in addresses if not address.startswith(NO_DATA)} - _known()
    _here.update(new)
    with suppress(OSError):
        folder = state_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "sources").open("a") as file:
            file.write("".join(f"{digest}\n" for digest in sorted(new)))


def refuse_received(record: TaskData) -> None:
    """InputError where a task names a source that nobody on this machine has asked for."""
    address = record["source"]
    if address.startswith(NO_DATA) or _digest(address) in _here or _digest(address) in _known():
        return
    raise InputError(
        f"task '{record['name']}' was not added on this machine, and would open {address}: say --trust-sources if that "
        f"may be read here, or where its images are, munet task move SYSTEM {record['name']} SOURCE",
        kind="untrusted-source",
    )


def _known() -> set[str]:
    try:
        return set((state_folder() / "sources").read_text().split())
    except (OSError, ValueError):
        return set()


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
