"""fsck, gc: looking after the directory."""

from typing import Annotated

import typer

from munet.cli.common import JsonFlag, SystemPath, open_system, show, show_json
from munet.cli.text.formatting import bytes_text
from munet.errors import DamagedError
from munet.text import clean, counted


def register(app: typer.Typer) -> None:
    app.command("fsck")(fsck)
    app.command("gc")(gc)


def fsck(system: SystemPath, as_json: JsonFlag = False) -> None:
    """Check every stored object; exit code 3 for damage.

    Each object is hashed again, and every model must have all its layers.

    Example:
      munet fsck fleet
    """
    from munet.cli.text.progress import progress

    opened = open_system(system)
    with progress("checking") as report:
        found = opened.fsck(report)
    if as_json:
        show_json(found.to_json())
    else:
        from munet.cli.text.renderables import fsck_view

        lines = [str(damage) for damage in found.damaged]
        show(fsck_view({**found.to_json(), "lines": lines}, str(system)))
    if not found.ok:
        raise typer.Exit(DamagedError.exit_code)


def gc(
    system: SystemPath,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, remove nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove what nothing needs any more.

    Safe while others evolve.

    Example:
      munet gc fleet --dry-run
    """
    opened = open_system(system)
    found = opened.gc(dry_run=dry_run)
    if as_json:
        show_json(found.to_json())
        return
    what = [counted(found.models, "model"), counted(found.layers, "layer"), counted(found.temporary, "temporary file")]
    what += [counted(found.listings, "listing")] if found.listings else []
    verb = "would remove" if dry_run else "removed"
    show(f"{clean(system)}: {verb} {', '.join(what)}, {bytes_text(found.bytes)}")
