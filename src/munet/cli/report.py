"""report: everything about a system as one HTML page, in a file or at an address."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from munet.cli.common import Device, SystemPath, TrustSources, importing_a_server, open_system, show, tell
from munet.cli.watch import PORT
from munet.errors import InputError
from munet.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from munet.serving.fixed_page import FixedPage
    from munet.store.schema import TaskRecord
    from munet.system import System

THUMBNAILS = 40  # of munet.report.images, which is imported late
_NOTES = 3  # tasks without images that are told one by one


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    system: SystemPath,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; replaced if there is one.", show_default="report.html")
    ] = None,
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
    serve: Annotated[bool, typer.Option("--serve", help="Show it at an address, until Ctrl-C.")] = False,
    host: Annotated[str | None, typer.Option(help="With --serve: 127.0.0.1 unless given.", show_default=False)] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help=f"With --serve: {PORT}, or a free one, unless given.", show_default=False),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(help="With --serve: ask for this token.", envvar="MUNET_REPORT_TOKEN", show_default=False),
    ] = None,
) -> None:
    """Write a system's report as one HTML page that needs no network.

    The network and how it grew, who learned from whom, settings, learning curves, costs; for each task its images, what
    is wrong and how sure it is, measured on validation and test once for each model.

    Examples:
      munet report fleet
      munet report fleet --out results/fleet.html --title "The fleet in May"
      munet report fleet --beside runs/finetune-tuned/0/system --thumbnails 200
      munet report fleet --serve
    """
    from munet.analysis import history
    from munet.cli.text.formatting import bytes_text
    from munet.cli.text.progress import progress
    from munet.report.images.thumbnails import Folder
    from munet.report.page import build_page, payload, write_page
    from munet.text import counted

    if not serve and (host, port) != (None, None):
        raise InputError("--host and --port go with --serve, which shows the report at an address")
    file = _file(out, serve)
    server = _server(host, port, token, thumbnails) if serve else None  # before the work, not after it
    opened = open_system(system)
    if trust_sources:
        opened.trust_sources(None)
    with progress("reading") as count:
        read = history(opened.store, *(open_system(path).store for path in beside or ()), progress=count)
    label = read.systems[0]
    options = {"thumbnails": thumbnails, "private": private_images, "device": device}
    found = {} if no_images else _measured(opened, read.one(label).records, **options)
    with progress("building the page"):
        folder = Folder(file) if file and thumbnails and thumbnails > THUMBNAILS and found else None
        made = payload(read, title or opened.path.resolve().name, label, seen=found, folder=folder)
        page = build_page(made)
    if file:
        write_page(page, file)
    for note in made["notes"]:
        tell(note)
    children = made["totals"]["children"]
    sampled = "1 sampled child" if children == 1 else f"{children:,} sampled children"
    size = f"{counted(len(made['tasks']), 'task')}, {sampled}, {bytes_text(len(page.encode()))}"
    if file:
        show(f"{file}: {size}")
    if server:
        server.page = page
        _serve(server, f"{clean(system)}, {size},")


def _file(out: Path | None, serve: bool) -> Path | None:
    """Where the page is written, checked; None where it is only shown."""
    from munet.report.page import check_name

    file = out if out or serve else Path("report.html")
    if file:
        check_name(file)
        if not file.parent.is_dir():
            raise InputError(f"cannot write {file}: there is no folder {file.parent}; make it first")
    return file


def _server(host: str | None, port: int | None, token: str | None, thumbnails: int | None) -> "FixedPage":
    with importing_a_server():
        from munet.serving.fixed_page import bind
    if thumbnails and thumbnails > THUMBNAILS:
        raise InputError(f"--thumbnails {thumbnails}: --serve shows one page, which holds at most {THUMBNAILS}")
    return bind(command="report", usual=PORT, host=host or "127.0.0.1", port=port, token=token or None)


def _serve(server: "FixedPage", what: str) -> NoReturn:
    if not server.access.loopback:
        tell("the connection is not encrypted; `ssh -L` to a server on 127.0.0.1 is (docs/watch.md)")
    server.start()
    show(f"The report of {what} is at {server.full_url} (Ctrl-C ends it)")
    while True:
        # short naps: the signal of Ctrl-C may reach another thread, and then does not wake this one
        time.sleep(0.2)


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
