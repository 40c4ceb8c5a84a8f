"""quickstart: a system on real digits and rendered scripts, from nothing to a table and a picture."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import JsonFlag, console, show, show_json
from munet.cli.text.formatting import duration, number, percent
from munet.text import clean, counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from munet.cli.evolve.observers import Observer

_HEADINGS = {
    "head_only": "heads\nalone",
    "fine_tuning": "fine-\ntuning",
    "tuned": "tuned\nby hand",
    "system": "the\nsystem",
}


def register(app: typer.Typer) -> None:
    app.command("quickstart")(quickstart)


def quickstart(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="New or empty directory, or that of an earlier quickstart.")
    ] = Path("munet-quickstart"),
    seed: Annotated[int | None, typer.Option(help="Seed of every draw; 0 unless given.", show_default=False)] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the CPU; 1 unless given.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Grow a system on six small tasks, add one later, compare it with baselines, draw it: a few minutes.

    After an interruption the same command goes on; after the end it shows the result again.

    Example:
      munet quickstart && munet status munet-quickstart/system
    """
    out = sys.stderr if as_json else sys.stdout

    def say(text: str) -> None:
        out.write(clean(text) + "\n")
        out.flush()

    def watch(rows: Sequence[Mapping[str, Any]]) -> "AbstractContextManager[Observer]":
        from munet.cli.evolve.observers import live_view, plain_lines

        screen = console(stderr=as_json)
        live = screen.is_terminal and not screen.is_dumb_terminal
        return live_view(rows, screen) if live else plain_lines(rows, out)

    from munet.quickstart import run

    result = run(directory, seed=seed, threads=threads, say=say, watch=watch)
    if as_json:
        show_json(result)
    else:
        show(*result_view(result))
    if not result["proof"]["unchanged"]:
        raise typer.Exit(1)


def result_view(result: Mapping[str, Any]) -> "list[RenderableType]":
    """The table, how to read it, the proof, the time, what to try next."""
    from munet.cli.text.grid import line

    return [
        line(""),
        _table(result),
        line(""),
        line(reading(result)),
        line(""),
        line(proof_text(result["proof"], result["later_task"])),
        line(""),
        line(time_text(result)),
        line(f"The picture of the network: {clean(result['picture'])}"),
        line(""),
        line("What to try next", "bold"),
        *(f"  {command}" for command in _next(result)),  # plain text is never wrapped, so it can be copied
    ]


def _table(result: Mapping[str, Any]) -> "RenderableType":
    """Test accuracy in percent of each task by method, then the mean and the parameters per task."""
    from munet.cli.text.grid import grid

    methods = result["methods"]
    table = grid(
        "test accuracy in %", "classes", *_HEADINGS.values(), names=("test accuracy in %",), spare=("classes",)
    )
    for task in result["tasks"]:
        name = clean(task["name"]) + (" (added later)" if task["name"] == result["later_task"] else "")
        accuracies = [percent(methods[method]["test_accuracy"][task["name"]], 1) for method in _HEADINGS]
        table.add_row(name, number(task["classes"]), *accuracies, end_section=task is result["tasks"][-1])
    means = [percent(methods[method]["mean_test_accuracy"], 1) for method in _HEADINGS]
    table.add_row("mean", "", *means, style="bold")
    table.add_row("parameters per task", "", *(number(methods[method]["parameters_per_task"]) for method in _HEADINGS))
    table.add_row("training images per task", "", *(_samples(methods[method]) for method in _HEADINGS))
    return table


def _samples(measured: Mapping[str, Any]) -> str:
    counts = sorted(set(measured["training_samples"].values()))
    return number(counts[0]) if len(counts) == 1 else f"{number(counts[0])}-{number(counts[-1])}"


def reading(result: Mapping[str, Any]) -> str:
    """How to read the table, from its own numbers."""
    methods = result["methods"]
    system, tuned, plain, heads = (methods[name] for name in ("system", "tuned", "fine_tuning", "head_only"))
    share = 100 * system["parameters_per_task"] / tuned["parameters_per_task"]
    return (
        "How to read it: heads alone train nothing. Fine-tuning trains a whole model for each task, with a usual "
        "learning rate, or with rate and augmentation tuned by hand on such images. The system has as many training "
        "images for all tasks together, and gives more of them to hard tasks. "
        f"Here it is {_against(system, tuned)} what was tuned by hand with {share:.0f} % of its parameters, "
        f"{_against(system, plain)} plain fine-tuning, and {_against(system, heads)} heads alone."
    )


def _against(mine: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    difference = 100 * (mine["mean_test_accuracy"] - other["mean_test_accuracy"])
    if abs(difference) < 0.05:
        return "level with"
    return f"{abs(difference):.1f} points {'above' if difference > 0 else 'below'}"


def proof_text(proof: Mapping[str, Any], later: str) -> str:
    """What was compared and what came out, with both hashes."""
    earlier = counted(len(proof["tasks"]), "earlier task")
    what = f"{number(proof['logits'])} logits of the {earlier} on {proof['images']} images"
    verdict = "bitwise the same" if proof["unchanged"] else "NOT THE SAME"
    before, after = proof["sha256_before"][:16], proof["sha256_after"][:16]
    return (
        f"Nothing forgotten? {what}, before and after {clean(later)} was learned: {verdict} (sha256 {before}, {after})."
    )


def time_text(result: Mapping[str, Any]) -> str:
    seconds = result["seconds"]
    baselines = sum(seconds[name] for name in _HEADINGS if name != "system")
    sessions = f" in {result['sessions']} sessions" if result["sessions"] > 1 else ""
    return (
        f"Measured: {duration(result['total_seconds'])} in all{sessions} on {counted(result['threads'], 'thread')} "
        f"(the system {duration(seconds['system'])}, the baselines {duration(baselines)}); seed {result['seed']}."
    )


def _next(result: Mapping[str, Any]) -> list[str]:
    system = clean(Path(result["directory"]) / "system")
    task = clean(result["tasks"][-1]["name"])
    return [
        f"munet status {system}",
        f"munet log {system} {task}",
        f"munet diff {system} {clean(result['tasks'][0]['name'])} {task}",
        f"munet explain {system} {task}",
        f"munet evolve {system} {task} --budget quick   # goes on from where the task stands",
        f"munet add {system} mine folder:DIR   # a folder with one sub-folder of images for each class",
    ]
