"""init, add, status: making a system and looking at it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, SystemPath, console, open_system, show, show_json, tell
from munet.cli.text.formatting import added_line, number, short
from munet.errors import InputError
from munet.text import clean, counted


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("add")(add)
    app.command("status")(status)


def init(
    system: Annotated[Path, typer.Argument(metavar="SYSTEM", help="Directory to make.", show_default=False)],
    root: Annotated[
        str, typer.Option(help="builtin:glyphs, timm:NAME, npz:FILE or random:NAME.", metavar="SOURCE")
    ] = "builtin:glyphs",
    depth: Annotated[int | None, typer.Option(min=1, help="Keep at most this many blocks.")] = None,
    image_size: Annotated[int | None, typer.Option(min=1, help="Pixels a side; the patch must divide it.")] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights of timm:NAME as safetensors, without network.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random:NAME.")] = 0,
) -> None:
    """Make a system around a root model.

    Every task may start from the root, and none can change it.

    Examples:
      munet init fleet
      munet init fleet --root timm:vit_tiny_patch16_224.augreg_in21k --depth 3 --image-size 32
    """
    from munet.system import System

    made = System.create(system, root, depth=depth, image_size=image_size, weights=weights, seed=seed)
    model = made.show("root")
    parameters = sum(layer["parameters"] for layer in model["layers"])
    facts = f"{counted(model['num_blocks'], 'block')}, {model['image_size']} px, {number(parameters)} parameters"
    show(f"{clean(system)}: root {clean(made.status()['root']['source'])} ({short(made.root)}), {facts}")
    show(f"Next: munet add {clean(system)} NAME SOURCE")


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
    """Add a task from a set of images, or the tasks of a benchmark.

    Reads the images once, cuts the splits that are missing, and records what was found.

    Examples:
      munet add fleet mnist npz:data/mnist
      munet add fleet flowers folder:data/flowers --validation 'train[:10%]' --train 'train[10%:]'
      munet add fleet --catalog mccb-local --data data
    """
    own = {"NAME": name, "SOURCE": source, "--train": train, "--validation": validation, "--test": test}
    own |= {"--allow-overlap": allow_overlap or None, "--allow-duplicates": allow_duplicates or None}
    group = {"--data": data, "--only": only, "--prefer": prefer, "--skip-missing": skip_missing or None}
    if catalog is not None:
        from munet.cli.catalog.add import add_group

        _refuse(own, f"--catalog {catalog} knows the names, sources and splits of its tasks")
        add_group(
            system, catalog, data=data, only=only or [], prefer=prefer, skip_missing=skip_missing,
            private=private, skip_bad=skip_bad, as_json=as_json,
        )  # fmt: skip
        return
    if name is None or source is None:
        raise InputError(
            f"{'NAME and SOURCE are' if name is None else 'SOURCE is'} missing; or say --catalog BENCHMARK"
        )
    _refuse(group, "it goes with --catalog BENCHMARK")
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


def status(system: SystemPath, as_json: JsonFlag = False) -> None:
    """Show the tasks with accuracies and sizes, and the totals.

    Example:
      munet status fleet
    """
    found = open_system(system).status()
    if as_json:
        show_json(found)
        return
    from munet.cli.text.renderables import status_view

    show(status_view({**found, "path": str(system)}, console().width))
