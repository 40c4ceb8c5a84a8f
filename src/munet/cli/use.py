"""evaluate, export: using the models of a system."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import (
    Device,
    JsonFlag,
    SystemPath,
    TrustSources,
    complete_task,
    console,
    open_system,
    show,
    show_json,
    tell,
)
from munet.errors import InputError
from munet.text import clean

if TYPE_CHECKING:
    from munet.inference.measures import Answers
    from munet.system import System


def register(app: typer.Typer) -> None:
    app.command("evaluate")(evaluate)
    app.command("export")(export)


def evaluate(
    system: SystemPath,
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="TASK...", help="Only these.", autocompletion=complete_task, show_default=False),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="train, validation or test; test unless given.", show_default=False)
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="The same; repeatable.", autocompletion=complete_task, show_default=False),
    ] = None,
    trust_sources: TrustSources = False,
    device: Device = "auto",
    batch_size: Annotated[int, typer.Option(min=1, help="Images computed together.")] = 512,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    data: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Other labelled images, for one task: in detail.", show_default=False),
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Of --data: leave out unusable images.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Of --data: a row of CSV for each image.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure the accuracy of the tasks' models on a whole split, or of one on other labelled images.

    Layers that several tasks share are computed once for each batch of images. With --data: per class, confusions,
    calibration, worst images; --split is one of the source (test where there is one, else all).

    Example:
      munet evaluate fleet mnist --split test
      munet evaluate fleet flowers --data folder:new-photos
    """
    from munet.cli.text.progress import progress

    opened, task = open_system(system), [*(named or []), *(task or [])]
    if data is None and (as_csv or skip_bad):
        raise InputError(f"{'--csv' if as_csv else '--skip-bad'} belongs to --data SOURCE: add it")
    if data is not None:
        _evaluate_on(opened, task, data, split, device, skip_bad=skip_bad, as_csv=as_csv, as_json=as_json)
        return
    if trust_sources:
        opened.trust_sources(task)
    split = split or "test"
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


def _evaluate_on(
    system: "System",
    tasks: list[str] | None,
    data: str,
    split: str | None,
    device: str,
    *,
    skip_bad: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """One task's model on other labelled images."""
    if not tasks or len(tasks) != 1:
        raise InputError(
            f"--data is for one task: name it, munet evaluate {clean(system.path)} TASK --data {clean(data)}"
        )
    if as_csv and as_json:
        raise InputError("--csv and --json are two ways to print the same: give one")
    from munet.cli.text.progress import progress
    from munet.inference.measures import measured

    with progress("evaluating") as report:
        options = {"split": split, "device": device, "skip_bad": skip_bad}
        answers = system.evaluate_on(tasks[0], data, **options, note=tell, progress=report)
    if as_csv:
        _write_csv(answers)
        return
    found = {"task": tasks[0], "data": data, **measured(answers)}
    if as_json:
        show_json(found)
        return
    from munet.cli.text.measures import measures_view

    show(measures_view(found))


def _write_csv(answers: "Answers") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", "class", "answer", "probability", "right class's probability"])
    for name, label, answer, row in zip(
        answers.names, answers.labels, answers.predicted, answers.probabilities, strict=True
    ):
        writer.writerow([name, answers.classes[label], answers.classes[answer], row[answer], row[label]])


def export(
    system: SystemPath,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A task, or the start of a model id; for .onnx and .pt2 also several with commas.",
            autocompletion=complete_task,
        ),
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="To write: .safetensors, .onnx or .pt2.", show_default=False)
    ],
    with_adapters: Annotated[
        bool, typer.Option("--with-adapters", help="Write adapters too, which plain timm does not load.")
    ] = False,
    bare: Annotated[bool, typer.Option("--bare", help="Leave the preprocessing out of an .onnx or .pt2.")] = False,
    with_example: Annotated[
        bool, typer.Option("--with-example", help="Write predict.py beside an .onnx: a script without torch.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a model as safetensors that plain timm loads, or as a program (ONNX, torch.export).

    Beside .safetensors a JSON file says how to load it, and names the classes; a program holds both, and the
    preprocessing. Several tasks become one program, with what they share in it once. A program is run on 16 images and
    compared before it is kept.

    Example:
      munet export fleet mnist mnist.safetensors
      munet export fleet mnist,kmnist scripts.onnx --with-example
    """
    if file.suffix in (".onnx", ".pt2"):
        if with_adapters:
            raise InputError("--with-adapters is of .safetensors: a program always holds them")
        _export_program(system, model, file, bare=bare, example=with_example, as_json=as_json)
        return
    if bare or with_example:
        raise InputError(f"{file}: --bare and --with-example are of .onnx and .pt2")
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


def _export_program(system: Path, model: str, file: Path, *, bare: bool, example: bool, as_json: bool) -> None:
    words = [word for word in model.split(",") if word]
    from munet.cli.text.progress import progress

    with progress("exporting") as report:
        options = {"preprocessing": not bare, "example": example, "progress": report}
        written = open_system(system).export_program(words, file, **options)
    if as_json:
        show_json(written)
        return
    tasks = ", ".join(task["task"] for task in written["tasks"])
    apart = written["largest_difference"]
    show(f"wrote {clean(file)}: {clean(tasks)}; on 16 images at most {apart:.0e} from munet's logits, equal classes")
    if example:
        show(f"wrote {clean(written['example'])}, which asks it: python {clean(written['example'])} IMAGE...")
