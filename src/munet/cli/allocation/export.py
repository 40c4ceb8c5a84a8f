"""allocation export: a run's allocation as a system of frozen layers and paths."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, one_of, show, show_json, tell
from munet.cli.text.formatting import number, percent, short
from munet.text import clean, counted


def export(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the run.", show_default=False)],
    system: Annotated[Path, typer.Argument(metavar="SYSTEM", help="Directory to make.", show_default=False)],
    checkpoint: Annotated[
        str,
        typer.Option(
            metavar="best|last|ROUND",
            help="Which one; the test accuracy of others than best and last is not known.",
            autocompletion=one_of("best", "last"),
        ),
    ] = "best",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of local image sets, for the tasks.", envvar="MUNET_DATA", show_default=False
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a system of a run: components as frozen layers, a model for each task.

    Its models give the run's logits, and what several tasks use is stored once. They predict, are evaluated and
    compared; such a system takes no new tasks and does not evolve.

    Examples:
      munet allocation export runs/mnist4-0 fleet --data data
      munet allocation export runs/mnist4-0 fleet --checkpoint last
    """
    from munet.cli.text.progress import progress
    from munet.store.staging import refuse_taken

    refuse_taken(system.absolute())
    with progress("exporting") as report:
        from munet.allocation.export.export import export_run

        summary = export_run(run, system, checkpoint, data, report)
    if as_json:
        show_json(summary)
        return
    for note in summary["notes"]:
        tell(clean(note))
    show(*_summary_lines(summary))


def _summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """What was exported, in lines."""
    system, unique, whole = clean(summary["system"]), summary["unique_parameters"], summary["parameters"]
    unused, missing = len(summary["unused_components"]), summary["without_data"]
    lines = [
        f"{system}: {counted(summary['tasks'], 'task')} of round {number(summary['round'])}, "
        f"root {short(summary['root'])}",
        f"{counted(summary['layers'], 'layer')}, {number(unique)} unique parameters; "
        f"{percent(1 - unique / whole, 1)} % of {number(whole)} parameters are shared",
        f"mean accuracy: validation {percent(summary['mean_validation_accuracy'])} %, "
        f"test {percent(summary['mean_test_accuracy'])} %",
    ]
    if unused:
        lines.append(f"{counted(unused, 'component')} that no task uses left out")
    if missing:
        lines.append(f"{counted(len(missing), 'task')} without images: they predict, but cannot be evaluated.")
        return [*lines, f"Next: munet attach {system} {clean(missing[0])} SOURCE"]
    return [*lines, f"Next: munet evaluate {system}"]
