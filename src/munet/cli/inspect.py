"""log, show, explain, diff: how a model came to be, what it is made of and why, what two models share."""

from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import JsonFlag, SystemPath, Word, complete_task, console, open_system, show, show_json
from munet.errors import InputError

if TYPE_CHECKING:
    from munet.system import System


def register(app: typer.Typer) -> None:
    app.command("log")(log)
    app.command("show")(show_model)
    app.command("explain")(explain)
    app.command("diff")(diff)


def log(
    system: SystemPath,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="A task, 'root', or the start of a model id.",
            show_default=False,
            autocompletion=complete_task,
        ),
    ] = None,
    remote: Annotated[
        str | None, typer.Option(metavar="NAME", help="What this remote tells of a task, or of all.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the ancestors of a model, newest first.

    Each with who evolved it, its mutations, and the hyperparameters that changed on the way. With `--remote`, the
    models that a task retained there.

    Examples:
      munet log fleet mnist
      munet log fleet --remote origin
    """
    opened = open_system(system)
    if remote is not None:
        _remote_log(opened, remote, model, as_json)
        return
    if model is None:
        raise InputError(f"name a task or a model: `munet log {system} TASK`; with --remote NAME it may be left out")
    entries = opened.log(model)
    if as_json:
        show_json(entries)
        return
    from munet.cli.text.renderables import log_view

    show(log_view(entries, console().width))


def _remote_log(system: "System", remote: str, task: str | None, as_json: bool) -> None:
    """What a remote tells; where records cannot be read, what all others do, and then that."""
    from munet.cli.text.renderables import remote_log_view
    from munet.sharing.remote_log import Unread

    fault: Unread | None = None
    try:
        told = system.remote_log(None if task is None else [task], remote=remote)
    except Unread as error:
        told, fault = error.found, error
    entries = [one._asdict() for one in told]
    if as_json:
        show_json(entries)
    elif entries or fault is None:
        show(remote_log_view(entries))
    if fault is not None:
        raise fault


def show_model(system: SystemPath, model: Word, as_json: JsonFlag = False) -> None:
    """Show one model.

    Its layers, who trained and who shares them, its hyperparameters and measures.

    Example:
      munet show fleet mnist
    """
    found = open_system(system).show(model)
    if as_json:
        show_json(found)
        return
    from munet.cli.text.renderables import show_view

    show(show_view(found, console().width))


def explain(
    system: SystemPath,
    task: Annotated[str, typer.Argument(metavar="TASK", help="Its retained model.", autocompletion=complete_task)],
    as_json: JsonFlag = False,
) -> None:
    """Say in plain words why a task's model is as it is.

    Which parents were considered, what was trained by which recipe, and what each step gained.

    Example:
      munet explain fleet flowers
    """
    from munet.analysis.explanation import sentences
    from munet.text import clean

    found = open_system(system).explain(task)
    if as_json:
        show_json(found)
        return
    for sentence in sentences(found):
        typer.echo(clean(sentence))


def diff(
    system: SystemPath,
    a: Annotated[str, typer.Argument(metavar="A", help="A task, 'root', or a model id.", autocompletion=complete_task)],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.", autocompletion=complete_task)],
    as_json: JsonFlag = False,
) -> None:
    """Compare two models: layers they share, settings that differ.

    Examples:
      munet diff fleet mnist kmnist
      munet diff fleet 1f2e3d4c5b root
    """
    found = open_system(system).diff(a, b)
    if as_json:
        show_json(found)
        return
    from munet.cli.text.renderables import diff_view

    show(diff_view(found, console().width))
