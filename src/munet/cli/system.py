"""init, add, status: making a system and looking at it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, SystemPath, console, open_system, show, show_json
from munet.cli.formatting import clean, counted, number, short


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
    name: Annotated[str, typer.Argument(help="Name of the task.", metavar="NAME", show_default=False)],
    source: Annotated[
        str, typer.Argument(help="folder:DIR, npz:DIR, hf:NAME or tfds:NAME.", show_default=False, metavar="SOURCE")
    ],
    train: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'train[10%:]'.")] = None,
    validation: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'train[:10%]'.")] = None,
    test: Annotated[str | None, typer.Option(metavar="SPLIT", help="For instance 'test'.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Other tasks may never build on this one.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")] = False,
    allow_overlap: Annotated[bool, typer.Option("--allow-overlap", help="Splits may share images.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a task from a set of images.

    Reads the images once, cuts the splits that are missing, and records what was found.

    Examples:
      munet add fleet mnist npz:data/mnist
      munet add fleet flowers folder:data/flowers --validation 'train[:10%]' --train 'train[10%:]'
    """
    from munet.cli.progress import progress

    opened = open_system(system)
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
            progress=report,
        )
    if as_json:
        show_json(record)
        return
    show(_added(record))
    show(f"Next: munet evolve {clean(system)} {clean(name)}")


def _added(record: dict[str, Any]) -> str:
    splits = ", ".join(
        f"{part} {number(split['examples'])} ({clean(split['expression'])})" for part, split in record["splits"].items()
    )
    private = ", private" if record["private"] else ""
    skipped = f"; {counted(record['skipped'], 'unusable image')} left out" if record["skipped"] else ""
    return f"{clean(record['name'])}: {counted(len(record['classes']), 'class')}{private}; {splits}{skipped}"


def status(system: SystemPath, as_json: JsonFlag = False) -> None:
    """Show the tasks with accuracies and sizes, and the totals.

    Example:
      munet status fleet
    """
    found = open_system(system).status()
    if as_json:
        show_json(found)
        return
    from munet.cli.tables import status_view

    show(status_view({**found, "path": str(system)}, console().width))
