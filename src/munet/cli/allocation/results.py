"""allocation evaluate, plot and table: what runs of `munet allocation train` come to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import Device, ImageSets, JsonFlag, console, one_of, refuse_unknown, show, show_json, tell
from munet.cli.text.formatting import number, percent
from munet.errors import InputError
from munet.text import clean

if TYPE_CHECKING:
    from munet.tables.table import Table

Runs = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the run.", show_default=False)]
KINDS = ("pattern", "similarity", "fraction")  # of one run
SIZE = "size"  # of several
CHECKPOINTS = ("best", "last", "all")
PICTURES = (".png", ".svg", ".pdf")
TABLES = {".md": "markdown", ".csv": "csv", ".tex": "latex"}


def evaluate(
    run: Runs,
    checkpoint: Annotated[
        str,
        typer.Option(help="best (by validation), last or all.", autocompletion=one_of(*CHECKPOINTS)),
    ] = "best",
    data: ImageSets = None,
    device: Device = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Evaluate checkpoints of a run anew.

    all: validation of every checkpoint, and all splits of the best of them.

    Examples:
      munet allocation evaluate runs/mnist4-0 --data data
      munet allocation evaluate runs/mnist4-0 --data data --checkpoint all --json
    """
    refuse_unknown("--checkpoint", checkpoint, CHECKPOINTS)
    from munet.cli.text.progress import progress

    with progress("evaluating") as advance:
        from munet.allocation.runs.evaluate import evaluate_run

        found = evaluate_run(run, checkpoint, data, device=device, progress=advance)
    if as_json:
        show_json(found)
        return
    from munet.cli.allocation.view import means_text, uses_text

    for each in found["checkpoints"]:
        scored = each["means"].get("validation")
        if checkpoint == "all":
            show(f"round {number(each['round'])}: validation {percent(scored)} %, {uses_text(each)}")
    chosen = found["chosen"]
    show(f"{found['which']} (round {number(chosen['round'])}): {means_text(chosen)}; {uses_text(chosen)}")
    show(_tasks_view(chosen))


def _tasks_view(chosen: dict[str, Any]) -> Any:
    """A line for each task: its scores, and what it uses."""
    from munet.cli.text.grid import grid

    parts = [part for part in ("validation", "test", "train") if part in chosen["scores"]]
    sizes = ("parameters", "accounted", "MFLOPs")
    table = grid("task", *(f"{part} %" for part in parts), "used %", *sizes, names=("task",), spare=sizes[::-1])
    for task, used in chosen["used"].items():
        table.add_row(
            clean(task),
            *(percent(chosen["scores"][part][task]) for part in parts),
            percent(used, 0),
            number(chosen["parameters"][task]),
            number(chosen["accounted_parameters"][task]),
            f"{chosen['flops'][task] / 1e6:,.2f}",
        )
    return table


def plot(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Folder of a run; of several for size.", show_default=False)
    ],
    kind: Annotated[
        str, typer.Option(help="pattern, similarity, fraction or size.", autocompletion=one_of(*KINDS, SIZE))
    ] = "pattern",
    checkpoint: Annotated[
        str,
        typer.Option(metavar="best|last|ROUND", help="Whose allocation; a run that goes on has no best yet."),
    ] = "best",
    write: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The picture: .png, .svg or .pdf; repeatable.", show_default="DIR/KIND.png"),
    ] = None,
) -> None:
    """Draw the allocation of a run, or the size of several.

    pattern: which component each task uses, tasks by cluster and components by layer.
    similarity: how much alike what two tasks use is.
    fraction: the share of the components in use, over the rounds.
    size: test accuracy of finished runs over their parameters per task; into size.png.

    Examples:
      munet allocation plot runs/mnist4-0
      munet allocation plot runs/mnist4-0 --kind similarity --write similarity.pdf
      munet allocation plot runs/* --kind size
    """
    refuse_unknown("--kind", kind, (*KINDS, SIZE))
    if kind != SIZE and len(runs) > 1:
        raise InputError(f"--kind {kind} draws one run, not {len(runs)}: give one folder, or --kind {SIZE}")
    targets = write or [Path(f"{SIZE}.png") if kind == SIZE else runs[0] / f"{kind}.png"]
    from munet.cli.experiment.shared import check_target

    for file in targets:
        check_target(file, PICTURES)
    from munet.allocation.runs.draw import draw, draw_sizes
    from munet.report.style.saving import save

    figure = draw_sizes(_finished(runs)[0], checkpoint) if kind == SIZE else draw(runs[0], kind, checkpoint)
    for file in targets:
        save(figure, file)
        tell(f"wrote {file}")


def _finished(runs: list[Path]) -> "tuple[list[dict[str, Any]], list[Path]]":
    """Summaries of those that are finished, and the others, which are named."""
    from munet.allocation.runs.comparison import read

    finished, unfinished = read(runs)
    for path in unfinished:
        tell(f"{path} is not finished and left out")
    if not finished:
        raise InputError(f"no finished run in {', '.join(map(str, runs))}: give the train command again to go on")
    return finished, unfinished


def table(
    runs: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of runs.", show_default=False)],
    checkpoint: Annotated[
        str, typer.Option(help="best (by validation) or last.", autocompletion=one_of("best", "last"))
    ] = "best",
    write: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write it too: .md, .csv or .tex; repeatable.", show_default=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare finished runs: a row for each configuration, over its seeds.

    Examples:
      munet allocation table runs/*
      munet allocation table runs/* --write mnist4.md --write mnist4.csv
    """
    refuse_unknown("--checkpoint", checkpoint, CHECKPOINTS[:2])
    from munet.cli.experiment.shared import check_target

    for file in write or ():
        check_target(file, list(TABLES))
    from munet.allocation.runs.comparison import tables

    finished, unfinished = _finished(runs)
    made = tables(finished, checkpoint)
    for file in write or ():
        _write(file, made)
    if as_json:
        from munet.tables.render import plain

        show_json({"tables": [plain(one) for one in made], "unfinished": [str(path) for path in unfinished]})
        return
    from munet.tables.terminal import terminal

    for place, one in enumerate(made):
        show(*([""] if place else []), terminal(one, console().width))


def _write(file: Path, made: "list[Table]") -> None:
    from munet.fs.atomic import write_atomic
    from munet.tables.render import WRITERS

    write_atomic(file, WRITERS[TABLES[file.suffix.lower()]](made).encode())
    tell(f"wrote {file}")
