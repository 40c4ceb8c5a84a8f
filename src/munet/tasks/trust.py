"""Whose sources are opened: those of tasks that somebody on this machine added, moved here or said to trust
(`munet.fs.opened`)."""

from collections.abc import Iterable

from munet.errors import InputError
from munet.fs.opened import is_remembered, remember
from munet.store.schema import TaskData
from munet.tasks.reopen import NO_DATA


def trust(addresses: Iterable[str]) -> None:
    """Remember addresses whose images may be opened from now on."""
    remember(address for address in addresses if not address.startswith(NO_DATA))


def refuse_received(record: TaskData) -> None:
    """InputError where a task names a source that nobody on this machine has asked for."""
    address = record["source"]
    if address.startswith(NO_DATA) or is_remembered(address):
        return
    raise InputError(
        f"task '{record['name']}' was not added on this machine, and would open {address}: "
        f"`munet evaluate SYSTEM --task {record['name']} --trust-sources` says that it may be read here, "
        f"`munet task move SYSTEM {record['name']} SOURCE` where its images are",
        kind="untrusted-source",
    )
