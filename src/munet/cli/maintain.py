"""fsck, gc: looking after a directory, or what lies at the address of a remote."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import JsonFlag, open_system, show, show_json
from munet.cli.text.formatting import bytes_text
from munet.errors import DamagedError, InputError
from munet.text import clean, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from munet.sharing.objects import ObjectPlace
    from munet.store.fsck import Report

SystemOrUrl = Annotated[
    str, typer.Argument(metavar="SYSTEM", help="Directory of the system, or s3://, gs://, az://.", show_default=False)
]


def register(app: typer.Typer) -> None:
    app.command("fsck")(fsck)
    app.command("gc")(gc)


def fsck(system: SystemOrUrl, as_json: JsonFlag = False) -> None:
    """Check every stored object; exit code 3 for damage.

    Each object is hashed again, and every model must have all its layers. Of a remote every object is read.

    Examples:
      munet fsck fleet
      munet fsck s3://bucket/fleet
    """
    from munet.cli.text.progress import progress

    check = _check_of(system)
    with progress("checking") as report:
        found = check(report)
    if as_json:
        show_json(found.to_json())
    else:
        from munet.cli.text.renderables import fsck_view

        show(fsck_view({**found.to_json(), "lines": found.lines(system)}, system))
    if not found.ok:
        what = counted(len(found.damaged), "damaged object")
        raise DamagedError(f"{what} in {system}: put the damaged files back from a copy of the system")


def gc(
    system: SystemOrUrl,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, remove nothing.")] = False,
    grace: Annotated[
        str | None, typer.Option(metavar="7d", help="Of a remote: how long a thing is unused before it goes.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Remove what nothing needs any more.

    Safe while others evolve and push. Of a remote, what is unused is marked first, and goes with a later call.

    Examples:
      munet gc fleet --dry-run
      munet gc s3://bucket/fleet --grace 7d
    """
    place = _place(system)
    if place is not None:
        _gc_remote(place, grace, dry_run, as_json)
        return
    if grace is not None:
        raise InputError("--grace is for object stores: in a folder nothing goes that somebody counts on")
    found = open_system(Path(system)).gc(dry_run=dry_run)
    if as_json:
        show_json(found.to_json())
        return
    what = [counted(found.models, "model"), counted(found.layers, "layer"), counted(found.temporary, "temporary file")]
    what += [counted(found.listings, "listing")] if found.listings else []
    verb = "would remove" if dry_run else "removed"
    show(f"{clean(system)}: {verb} {', '.join(what)}, {bytes_text(found.bytes)}")


def _gc_remote(place: "ObjectPlace", grace: str | None, dry_run: bool, as_json: bool) -> None:
    from datetime import timedelta

    from munet.cli.evolve.agreement import parse_time
    from munet.sharing.collecting import GRACE, collect

    unused = GRACE if grace is None else timedelta(seconds=parse_time(grace, "--grace"))
    found = collect(place, unused, dry_run=dry_run)
    if as_json:
        show_json(found.to_json())
        return
    verb = "would remove" if dry_run else "removed"
    what = f"{counted(found.models, 'model')}, {counted(found.layers, 'layer')}, {bytes_text(found.bytes)}"
    rest = f"; {counted(found.waiting, 'unused object')} for less than the grace" if found.waiting else ""
    show(f"{clean(place.name)}: {verb} {what}{rest}")


def _check_of(system: str) -> "Callable[[Callable[[int, int], None]], Report]":
    place = _place(system)
    if place is None:
        return open_system(Path(system)).fsck
    from munet.sharing.checking import check

    return lambda progress: check(place, progress)


def _place(system: str) -> "ObjectPlace | None":
    """What lies at the address of an object store; None for a path."""
    if "://" not in system:
        return None
    from munet.sharing.objects import ObjectPlace
    from munet.sharing.remotes import address, existing, place_at

    # Damage there is what was asked for, no mistake in what was given.
    place = place_at(address(system)) or existing(address(system))
    if not isinstance(place, ObjectPlace):
        raise InputError(f"{system} is a folder: name it by its path, {place.name}")
    return place
