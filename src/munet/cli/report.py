"""report: everything about a system as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from munet.cli.common import SystemPath, open_system, show, tell


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    system: SystemPath,
    out: Annotated[Path, typer.Option("--out", help="File to write; replaced if there is one.")] = Path("report.html"),
    title: Annotated[
        str | None, typer.Option(help="Heading; the folder's name unless given.", show_default=False)
    ] = None,
) -> None:
    """Write a system's report as one HTML page that needs no network.

    The network and how it grew, who learned from whom, settings, learning curves, costs.

    Examples:
      munet report fleet
      munet report fleet --out results/fleet.html --title "The fleet in May"
    """
    from munet.analysis import history
    from munet.cli.text.formatting import bytes_text
    from munet.cli.text.progress import progress
    from munet.report.page import build_page, check_name, payload, write_page
    from munet.text import counted

    check_name(out)  # before the work, not after it
    with progress("reading") as count:
        read = history(open_system(system).store, progress=count)
    with progress("building the page"):
        made = payload(read, title)
        page = build_page(made)
    write_page(page, out)
    for note in made["notes"]:
        tell(note)
    children = made["totals"]["children"]
    sampled = "1 sampled child" if children == 1 else f"{children:,} sampled children"
    show(f"{out}: {counted(len(made['tasks']), 'task')}, {sampled}, {bytes_text(len(page.encode()))}")
