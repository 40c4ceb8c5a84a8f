"""update: the images that a task's source holds now, and its new classes."""

from typing import Annotated

import typer

from munet.cli.common import JsonFlag, SystemPath, TrustSources, complete_task, open_system, show, show_json, tell
from munet.cli.text.formatting import added_line, older_line, short
from munet.text import clean


def register(app: typer.Typer) -> None:
    app.command("update")(update)


def update(
    system: SystemPath,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task.", autocompletion=complete_task)],
    extend: Annotated[bool, typer.Option("--extend", help="Add classes that are new too.")] = False,
    allow_duplicates: Annotated[
        bool, typer.Option("--allow-duplicates", help="A new image may be under two classes.")
    ] = False,
    trust_sources: TrustSources = False,
    as_json: JsonFlag = False,
) -> None:
    """Take the images that were added to a task's folder or table.

    Images keep their split: what was test stays test. New ones are dealt by the rule that the splits were made by. The
    model stays, as that of older data, until the task is evolved.

    Examples:
      munet update fleet flowers
      munet update fleet flowers --extend
    """
    from munet.cli.text.progress import progress

    opened, notes = open_system(system), list[str]()
    if trust_sources:
        opened.trust_sources([task])
    with progress(f"reading {clean(task)}") as report:
        record = opened.update_task(
            task, extend=extend, allow_duplicates=allow_duplicates, progress=report, tell=notes.append
        )
    if as_json:
        for note in notes:
            tell(f"{clean(task)}: {clean(note)}")
        show_json(record)
        return
    show(added_line(record))
    for note in notes:
        show(f"  {clean(note)}")
    if "older" in record:
        show(f"The model {short(record['model'])} stays until the task is evolved: {older_line(record)}.")
    show(f"Next: munet evolve {clean(system)} {clean(task)}")
