"""report: everything about a system as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from munet.cli.common import Device, SystemPath, open_system, show, tell

THUMBNAILS = 40  # of munet.report.images, which is imported late


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    system: SystemPath,
    out: Annotated[Path, typer.Option("--out", help="File to write; replaced if there is one.")] = Path("report.html"),
    title: Annotated[
        str | None, typer.Option(help="Heading; the folder's name unless given.", show_default=False)
    ] = None,
    thumbnails: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=f"Images of each task; more than {THUMBNAILS} lie in a folder beside the page.",
            show_default=f"{THUMBNAILS}, fewer for more than 20 tasks",
        ),
    ] = None,
    no_images: Annotated[
        bool, typer.Option("--no-images", help="Leave out what is measured on the tasks' images, and these.")
    ] = False,
    private_images: Annotated[
        bool, typer.Option("--private-images", help="Show images of private tasks too.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Write a system's report as one HTML page that needs no network.

    The network and how it grew, who learned from whom, settings, learning curves, costs; for each task its images, what
    is wrong and how sure it is, measured on validation and test once for each model.

    Examples:
      munet report fleet
      munet report fleet --out results/fleet.html --title "The fleet in May"
      munet report fleet --thumbnails 200
    """
    from munet.analysis import history
    from munet.cli.text.formatting import bytes_text
    from munet.cli.text.progress import progress
    from munet.report.images.thumbnails import Folder
    from munet.report.page import build_page, check_name, payload, write_page
    from munet.text import counted

    check_name(out)  # before the work, not after it
    opened = open_system(system)
    with progress("reading") as count:
        read = history(opened.store, progress=count)
    found = {}
    if not no_images:
        from munet.report.images.measuring import seen

        with progress("measuring on the tasks' images") as count:
            records, options = read.one().records, {"private": private_images, "device": device}
            found = seen(lambda: opened.models, records, thumbnails=thumbnails, **options, progress=count, note=tell)
    with progress("building the page"):
        folder = Folder(out) if thumbnails and thumbnails > THUMBNAILS and found else None
        made = payload(read, title, seen=found, folder=folder)
        page = build_page(made)
    write_page(page, out)
    for note in made["notes"]:
        tell(note)
    children = made["totals"]["children"]
    sampled = "1 sampled child" if children == 1 else f"{children:,} sampled children"
    show(f"{out}: {counted(len(made['tasks']), 'task')}, {sampled}, {bytes_text(len(page.encode()))}")
