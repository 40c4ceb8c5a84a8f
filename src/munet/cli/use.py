"""evaluate, export: using the models of a system."""

from pathlib import Path
from typing import Annotated

import typer

from munet.cli.common import Device, JsonFlag, SystemPath, Word, complete_task, console, open_system, show, show_json
from munet.errors import InputError
from munet.text import clean


def register(app: typer.Typer) -> None:
    app.command("evaluate")(evaluate)
    app.command("export")(export)


def evaluate(
    system: SystemPath,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    task: Annotated[
        list[str] | None,
        typer.Option(help="Only this task; repeatable.", autocompletion=complete_task, show_default=False),
    ] = None,
    device: Device = "auto",
    batch_size: Annotated[int, typer.Option(min=1, help="Images computed together.")] = 512,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    as_json: JsonFlag = False,
) -> None:
    """Measure the accuracy of the tasks' models on a whole split.

    Layers that several tasks share are computed once for each batch of images.

    Example:
      munet evaluate fleet --split test --task mnist
    """
    from munet.cli.text.progress import progress

    opened = open_system(system)
    with progress("evaluating") as report:
        options = {"device": device, "batch_size": batch_size, "precision": precision}
        results = opened.evaluate(
            task or None, split, **options, progress=report, note=lambda text: typer.echo(f"note: {text}", err=True)
        )
    if as_json:
        show_json(results)
        return
    if not results:
        raise InputError(f"no task of {opened.path} has a model yet: run `munet evolve {opened.path}`", kind="no-model")
    from munet.cli.text.renderables import evaluate_view

    show(evaluate_view(results, console().width))


def export(
    system: SystemPath,
    model: Word,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To write, ending in .safetensors.", show_default=False)],
    with_adapters: Annotated[
        bool, typer.Option("--with-adapters", help="Write adapters too, which plain timm does not load.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a model as safetensors that plain timm loads.

    A JSON file beside it says how, and names the classes.

    Example:
      munet export fleet mnist mnist.safetensors
    """
    written = open_system(system).export(model, file, with_adapters=with_adapters)
    if as_json:
        show_json(written)
        return
    show(f"wrote {clean(written['weights'])} and {clean(written['description'])}")
    if written["adapters"]:
        show("Its adapters are written as adapters.k.*, which plain timm does not load.")
        return
    wide = written["head_features"] != "pooled"
    taken = "all of the first but head.*" if wide else "the first"
    show(f"In timm: create_model({written['model']!r}, **kwargs), with the kwargs of the second, takes {taken}.")
    if wide:
        show("Its head reads class token and mean patch token: docs/cli.md has its two lines under munet export.")
