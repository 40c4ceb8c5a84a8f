"""add: a task from a set of images, many at once, or the tasks of a benchmark."""

from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, SystemPath, open_system, refuse_unknown, show, show_json, tell
from munet.cli.text.formatting import added_line
from munet.errors import InputError
from munet.text import clean


def register(app: typer.Typer) -> None:
    app.command("add")(add)


def add(
    system: SystemPath,
    name: Annotated[str | None, typer.Argument(help="Name of the task.", metavar="NAME", show_default=False)] = None,
    source: Annotated[
        str | None,
        typer.Argument(
            help="folder:DIR, csv:FILE, npz:DIR, hf:NAME or tfds:NAME.", show_default=False, metavar="SOURCE"
        ),
    ] = None,
    train: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'train[10%:]'.")] = None,
    validation: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'train[:10%]'.")] = None,
    test: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'test'.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Other tasks may never build on this one.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")] = False,
    allow_overlap: Annotated[bool, typer.Option("--allow-overlap", help="Splits may share images.")] = False,
    allow_duplicates: Annotated[
        bool, typer.Option("--allow-duplicates", help="An image may be in two splits or classes.")
    ] = False,
    rare: Annotated[
        str | None,
        typer.Option(metavar="keep|drop", help="Classes of very few images: train on one, or leave them out."),
    ] = None,
    every: Annotated[
        Path | None, typer.Option("--all", metavar="DIR", help="Add each sub-folder as a task, called as it is.")
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Add the tasks of a TOML file.", show_default=False)
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option(metavar="BENCHMARK", help="Add the tasks of a benchmark instead (munet catalog lists them)."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --catalog: folder of image sets; else MUNET_DATA.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TASK", help="With --catalog: only this task; repeatable.")
    ] = None,
    prefer: Annotated[str | None, typer.Option(metavar="hf|tfds", help="With --catalog: take these first.")] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="With --catalog: add the others where some cannot be had.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a task from a set of images, many at once, or the tasks of a benchmark.

    Reads the images once, cuts the splits that are missing, and records what was found. With --all and --list what
    cannot be added is told, the others are, and the same command again goes on.

    Examples:
      munet add fleet mnist npz:data/mnist
      munet add fleet flowers folder:data/flowers --validation 'train[:10%]' --train 'train[10%:]'
      munet add fleet --all data
      munet add fleet --catalog mccb-local --data data
    """
    if rare is not None:
        refuse_unknown("--rare", rare, ("keep", "drop"))
    own = {"NAME": name, "SOURCE": source, "--train": train, "--validation": validation, "--test": test}
    more = {"--allow-overlap": allow_overlap or None, "--allow-duplicates": allow_duplicates or None, "--rare": rare}
    group = {"--data": data, "--only": only, "--prefer": prefer, "--skip-missing": skip_missing or None}
    everything = own | more | {"--all": every, "--list": listed}
    if catalog is not None:
        from munet.cli.catalog.add import add_group

        _refuse(everything, f"--catalog {catalog} knows the names, sources and splits of its tasks")
        add_group(
            system, catalog, data=data, only=only or [], prefer=prefer, skip_missing=skip_missing,
            private=private, skip_bad=skip_bad, as_json=as_json,
        )  # fmt: skip
        return
    _refuse(group, "it goes with --catalog BENCHMARK")
    if every is not None or listed is not None:
        from munet.cli.many import add_many
        from munet.tasks.many import tasks_in, tasks_of

        _refuse(own, f"the tasks of {'--all' if every else '--list'} have their own")
        if every and listed:
            raise InputError("--all and --list are two ways to name tasks: give one")
        wanted = tasks_in(every) if every else tasks_of(listed or Path())
        options = {"private": private, "skip_bad": skip_bad, "allow_overlap": allow_overlap}
        options |= {"allow_duplicates": allow_duplicates, "rare": rare}
        add_many(system, wanted, options, as_json=as_json)
        return
    if name is None or source is None:
        missing = "NAME and SOURCE are" if name is None else "SOURCE is"
        raise InputError(f"{missing} missing; or say --all DIR, --list FILE or --catalog BENCHMARK")
    from munet.cli.text.progress import progress

    opened, notes = open_system(system), list[str]()
    with progress(f"reading {clean(name)}") as report:
        record = opened.add_task(
            name,
            source,
            train=train,
            validation=validation,
            test=test,
            private=private,
            skip_bad=skip_bad,
            allow_overlap=allow_overlap,
            allow_duplicates=allow_duplicates,
            rare=rare,
            progress=report,
            tell=notes.append,
        )
    if as_json:
        for note in notes:
            tell(f"{clean(name)}: {clean(note)}")
        show_json(record)
        return
    show(added_line(record))
    for note in notes:
        show(f"  {clean(note)}")
    show(f"Next: munet evolve {clean(system)} {clean(name)}")


def _refuse(given: dict[str, Any], why: str) -> None:
    """InputError for an option that does not belong to the form of `add` that was used."""
    for option, value in given.items():
        if value is not None and value != []:
            raise InputError(f"{option} cannot be given here: {why}")
