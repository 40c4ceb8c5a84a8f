"""task show, move, rename, remove: one task of a system."""

from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import JsonFlag, SystemPath, complete_task, open_system, show, show_json
from munet.cli.text.formatting import added_line, older_line, short
from munet.errors import InputError
from munet.store.task_list import vanished
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.store.schema import TaskRecord

TaskName = Annotated[str, typer.Argument(metavar="NAME", help="A task.", autocompletion=complete_task)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Look at a task, point it to moved images, rename or remove it.")
    for command in (show_task, move, rename, remove):
        group.command("show" if command is show_task else command.__name__)(command)
    app.add_typer(group, name="task")


def show_task(system: SystemPath, name: TaskName, as_json: JsonFlag = False) -> None:
    """Show what was recorded of a task.

    Example:
      munet task show fleet flowers
    """
    record = open_system(system).task(name)
    if as_json:
        show_json(record)
        return
    show(added_line(record))
    show(f"  images: {clean(record['source'])}")
    classes = (
        record["classes"] if len(record["classes"]) <= 12 else [*record["classes"][:8], "…", record["classes"][-1]]
    )
    show(f"  classes: {clean(', '.join(classes))}")
    show(f"  {_state(record)}")


def _state(record: "TaskRecord") -> str:
    if record["model"] is None:
        return "no model yet"
    test = "" if record["test"] is None else f", test accuracy {record['test']['accuracy']:.2%}"
    sure = "" if record["test"] is None else record["test"].get("temperature", "")
    test += f", temperature {sure:.3g}" if sure else ""
    model = f"model {short(record['model'])} after {counted(record['iterations'], 'task iteration')}{test}"
    return model if "older" not in record else f"{model}; {older_line(record)}"


def move(
    system: SystemPath,
    name: TaskName,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Where the images are now.", show_default=False)],
    as_json: JsonFlag = False,
) -> None:
    """Point a task to its images where they are now.

    They are read and compared by their fingerprint; a path alone keeps the scheme and the options.

    Example:
      munet task move fleet flowers /mnt/disk2/flowers
    """
    record = open_system(system).move_task(name, source)
    _done(record, f"{clean(name)}: the same images, now read from {clean(record['source'])}", as_json)


def rename(
    system: SystemPath,
    name: TaskName,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new name.", show_default=False)],
    as_json: JsonFlag = False,
) -> None:
    """Give a task another name; remotes go on calling it as they do.

    Example:
      munet task rename fleet flowers tulips
    """
    _done(open_system(system).rename_task(name, new), f"{clean(name)} is called {clean(new)} now", as_json)


def remove(
    system: SystemPath,
    name: TaskName,
    yes: Annotated[bool, typer.Option("--yes", help="Also a task with a model, which is lost.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take a task out of a system; layers that others use stay.

    Example:
      munet task remove fleet flowers --yes
    """
    opened = open_system(system)
    if not yes and (name in vanished(opened.store) or opened.task(name)["model"] is not None):
        raise InputError(f"task '{name}' has a model, which would be lost: say --yes")
    record = opened.remove_task(name)
    _done(record, f"{clean(name)} removed; munet gc {clean(system)} frees what nobody else needs", as_json)


def _done(record: "TaskRecord | None", text: str, as_json: bool) -> None:
    if as_json:
        show_json(record)
    else:
        show(text)
