"""report: everything about a system as one HTML page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import Device, SystemPath, TrustSources, open_system, show, tell
from munet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from munet.store.schema import TaskRecord
    from munet.system import System

THUMBNAILS = 40  # of munet.report.images, which is imported late
_NOTES = 3  # tasks without images that are told one by one


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    system: SystemPath,
    out: Annotated[Path, typer.Option("--out", help="File to write; replaced if there is one.")] = Path("report.html"),
    title: Annotated[
        str | None, typer.Option(help="Heading; the folder's name unless given.", show_default=False)
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(metavar="SYSTEM", help="Compare with what this one has of the same tasks; repeatable."),
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
    private_images: Annotated[bool, typer.Option("--private-images", help="Show images of private tasks too.")] = False,
    trust_sources: TrustSources = False,
    device: Device = "auto",
) -> None:
    """Write a system's report as one HTML page that needs no network.

    The network and how it grew, who learned from whom, settings, learning curves, costs; for each task its images, what
    is wrong and how sure it is, measured on validation and test once for each model.

    Examples:
      munet report fleet
      munet report fleet --out results/fleet.html --title "The fleet in May"
      munet report fleet --beside runs/finetune-tuned/0/system --thumbnails 200
    """
    from munet.analysis import history
    from munet.cli.text.formatting import bytes_text
    from munet.cli.text.progress import progress
    from munet.report.images.thumbnails import Folder
    from munet.report.page import build_page, check_name, payload, write_page
    from munet.text import counted

    check_name(out)  # before the work, not after it
    if not out.parent.is_dir():
        raise InputError(f"cannot write {out}: there is no folder {out.parent}; make it first")
    opened = open_system(system)
    if trust_sources:
        opened.trust_sources(None)
    with progress("reading") as count:
        read = history(opened.store, *(open_system(path).store for path in beside or ()), progress=count)
    label = read.systems[0]
    options = {"thumbnails": thumbnails, "private": private_images, "device": device}
    found = {} if no_images else _measured(opened, read.one(label).records, **options)
    with progress("building the page"):
        folder = Folder(out) if thumbnails and thumbnails > THUMBNAILS and found else None
        made = payload(read, title or opened.path.resolve().name, label, seen=found, folder=folder)
        page = build_page(made)
    write_page(page, out)
    for note in made["notes"]:
        tell(note)
    children = made["totals"]["children"]
    sampled = "1 sampled child" if children == 1 else f"{children:,} sampled children"
    show(f"{out}: {counted(len(made['tasks']), 'task')}, {sampled}, {bytes_text(len(page.encode()))}")


def _measured(opened: "System", records: "Sequence[TaskRecord]", **options: Any) -> dict[str, Any]:
    from munet.cli.text.progress import progress
    from munet.report.images.measuring import seen

    notes: list[str] = []
    with progress("measuring on the tasks' images") as count:
        found = seen(lambda: opened.models, records, **options, progress=count, note=notes.append)
    for note in notes[:_NOTES]:
        tell(note)
    if len(notes) > _NOTES:
        tell(f"nor are the images of {len(notes) - _NOTES} other tasks on the page")
    return found
