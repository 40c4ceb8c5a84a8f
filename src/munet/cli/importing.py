"""import, attach: systems of the papers' published code, and the images of their tasks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, SystemPath, complete_task, open_system, show, show_json, tell
from munet.cli.text.formatting import compact, number, percent, short
from munet.errors import InputError
from munet.text import clean, counted

_MEGABYTE = 10**6


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True)
    group.callback()(about)
    group.command("mu2net")(mu2net)
    app.add_typer(group, name="import")
    app.command("attach")(attach)


def about() -> None:
    """Make a system from one that other code wrote.

    Example:
      munet import mu2net downloads/mu2net fleet
    """


def mu2net(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the published system.", show_default=False)],
    system: Annotated[Path, typer.Argument(metavar="SYSTEM", help="Directory to make.", show_default=False)],
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="TASK=SOURCE", help="Images of a task; repeatable.", show_default=False),
    ] = None,
    catalog: Annotated[
        bool, typer.Option("--catalog", help="Name tasks as the catalog does, and take images that it finds here.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Import a system that the published code of muNet, mu2Net, mu3Net or mu2Net+ saved.

    DIR is an experiment's folder, or one saved state. Everything is checked before anything is written, and no more
    than a layer is in memory.

    Examples:
      munet import mu2net downloads/mu2net fleet
      munet import mu2net runs/chars fleet --data mnist=npz:data/mnist
    """
    from munet.cli.text.progress import progress
    from munet.importing.convert import prepare
    from munet.store.staging import refuse_taken

    refuse_taken(system.absolute())
    with progress("checking") as report:
        checked = prepare(folder, data=_sources(data or []), catalog=catalog, progress=report)
    with progress("importing, MB") as report:
        summary = checked.write(system, lambda done, total: report(done // _MEGABYTE, total // _MEGABYTE))
    if as_json:
        show_json(summary)
        return
    for note in summary["notes"]:
        tell(clean(note))
    show(*_summary_lines(summary, clean(system)))
    missing = summary["without_data"]
    if missing:
        show(f"{counted(len(missing), 'task')} without images: they predict, but cannot be evaluated or evolved.")
    show(
        f"Next: munet attach {clean(system)} {missing[0]} SOURCE" if missing else f"Next: munet status {clean(system)}"
    )


def _sources(words: list[str]) -> dict[str, str]:
    """`["mnist=npz:data/mnist", ...]` by task. InputError: no `=`, or a task given twice."""
    sources: dict[str, str] = {}
    for word in words:
        task, equals, source = word.partition("=")
        if not equals or not task or not source:
            raise InputError(f"--data {word}: write it as TASK=SOURCE, for instance --data mnist=npz:data/mnist")
        if task in sources:
            raise InputError(f"--data {task} is given twice, as {sources[task]} and {source}: leave one out")
        sources[task] = source
    return sources


def _summary_lines(summary: Mapping[str, Any], system: str) -> list[str]:
    """What was imported, in lines."""
    unique, whole = summary["unique_parameters"], summary["parameters"]
    shared = f"{percent(1 - unique / whole, 1)} % of {compact(whole)} parameters are shared" if whole else ""
    lines = [
        f"{system}: {counted(summary['tasks'], 'task')} of {clean(summary['state'])} ({summary['format']}), "
        f"root {short(summary['root'])}",
        f"{counted(summary['layers'], 'layer')}, {number(unique)} unique parameters; {shared}",
        f"mean accuracy: validation {percent(summary['mean_validation_accuracy'])} %, "
        f"test {percent(summary['mean_test_accuracy'])} %",
    ]
    if summary["children"]:
        lines.append(f"history of {counted(summary['children'], 'model')} that were sampled")
    return lines


def attach(
    system: SystemPath,
    name: Annotated[
        str, typer.Argument(help="An imported task.", metavar="NAME", show_default=False, autocompletion=complete_task)
    ],
    source: Annotated[
        str,
        typer.Argument(
            help="folder:DIR, csv:FILE, npz:DIR, hf:NAME or tfds:NAME.", show_default=False, metavar="SOURCE"
        ),
    ],
    train: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'train[10%:]'.")] = None,
    validation: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'train[:10%]'.")] = None,
    test: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'test'.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")] = False,
    allow_overlap: Annotated[bool, typer.Option("--allow-overlap", help="Splits may share images.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Give an imported task its images.

    They must be those that it was trained on, with labels in the same order: only the accuracy can tell.

    Example:
      munet attach fleet emnist-digits tfds:emnist/digits
    """
    from munet.cli.text.progress import progress
    from munet.importing.attaching import attach as attach_images
    from munet.tasks.record import TaskOptions

    opened = open_system(system)
    options = TaskOptions(train, validation, test, skip_bad=skip_bad, allow_overlap=allow_overlap)
    with progress(f"reading {clean(name)}") as report:
        record = attach_images(opened, name, source, options, progress=report)
    if as_json:
        show_json(record)
        return
    parts = ", ".join(
        f"{part} {number(split['examples'])} ({clean(split['expression'])})" for part, split in record["splits"].items()
    )
    show(f"{clean(name)}: {counted(len(record['classes']), 'class')}; {parts}")
    tested = record["test"]
    if tested:
        show(f"The published model had {percent(tested['accuracy'])} % on its test split.")
    show(f"Next: munet evaluate {clean(system)} --task {clean(name)}")
