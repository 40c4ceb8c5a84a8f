"""card: a model card of a system."""

from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import Device, SystemPath, open_system, show
from munet.errors import InputError
from munet.fs.atomic import write_atomic
from munet.text import clean

_ERRORS = 5  # of each task that are named


def register(app: typer.Typer) -> None:
    app.command("card")(card)


def card(
    system: SystemPath,
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK]...", help="Tasks to write of; all public ones unless given.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="File to write; on standard output unless given.", show_default=False)
    ] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="Evaluate test images and name the most frequent errors.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Write a model card in Markdown: data, accuracies with intervals, sizes, how each model came to be.

    What only a person knows (licences, intended use) is marked to be filled in.

    Example:
      munet card fleet --write README.md
    """
    from munet.analysis.card import card as make

    opened = open_system(system)
    names = list(dict.fromkeys(tasks)) if tasks else None
    found = _errors(opened, names, device) if errors else None
    text = make(opened.store, names, found)
    if write is None:
        typer.echo(text)
        return
    if not write.parent.is_dir():
        raise InputError(f"{write.parent} is not a folder: make it first", kind="missing-file")
    write_atomic(write, text.encode())
    show(f"wrote {clean(write)}: fill in what is marked")


def _errors(opened: Any, names: list[str] | None, device: str) -> dict[str, list[dict[str, Any]]]:
    from munet.cli.text.progress import progress
    from munet.inference.measures import measured
    from munet.inference.recorded import recorded_answers

    chosen = [name for name in names or opened.tasks if opened.task(name)["model"]]
    chosen = [name for name in chosen if names or not opened.task(name)["private"]]
    found = {}
    with progress("evaluating") as report:
        for number, name in enumerate(chosen, 1):
            found[name] = measured(recorded_answers(opened.models, name, device=device))["confusions"][:_ERRORS]
            report(number, len(chosen))
    return found
