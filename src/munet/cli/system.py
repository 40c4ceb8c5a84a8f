"""init, status: making a system and looking at it."""

from pathlib import Path
from typing import Annotated

import typer

from munet.cli.common import JsonFlag, SystemPath, console, open_system, show, show_json
from munet.cli.text.formatting import number, short
from munet.text import clean, counted


def register(app: typer.Typer) -> None:
    app.command("init")(init)
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
