"""allocation: tasks trained jointly over a pool of components, each learning which it uses."""

from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.allocation.settings import panel, with_settings
from munet.cli.common import one_of, parse_settings, show


def register(app: typer.Typer) -> None:
    from munet.cli.allocation.export import export
    from munet.cli.allocation.results import evaluate, plot, table

    group = typer.Typer(
        no_args_is_help=True, help="Train tasks jointly over a pool of components; each learns which it uses."
    )
    group.command("train")(train)
    group.command("evaluate")(evaluate)
    group.command("plot")(plot)
    group.command("table")(table)
    group.command("export")(export)
    app.add_typer(group, name="allocation")


def complete_experiment(incomplete: str) -> list[str]:
    from munet.allocation.runs.presets import experiments

    return [name for name in experiments() if name.startswith(incomplete)]


_RUN: dict[str, Any] = {"rich_help_panel": "Run"}


@with_settings
def train(
    experiment: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT",
            help="mnist4, omniglot20, clusters40, clusters-local or synthetic.",
            autocompletion=complete_experiment,
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run.", show_default=False, **_RUN)],
    method: Annotated[
        str,
        typer.Option(
            help="no_sharing, shared_bottom or gumbel_matrix.",
            autocompletion=one_of("no_sharing", "shared_bottom", "gumbel_matrix"),
            **_RUN,
        ),
    ] = "gumbel_matrix",
    preset: Annotated[
        str,
        typer.Option(
            help="paper (all of it), small or smoke (docs/allocation.md).",
            autocompletion=one_of("paper", "small", "smoke"),
            **_RUN,
        ),
    ] = "paper",
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.", **_RUN)] = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of local image sets.", envvar="MUNET_DATA", show_default=False, **_RUN
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", **_RUN)] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads; a part of the run.", show_default=False, **_RUN)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON event a line.", **_RUN)] = False,
    *,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Of the data, e.g. alphabets=5; repeatable.", **panel("Data")),
    ] = None,
    **given: Any,
) -> None:
    """Train one run of an experiment of arXiv 1910.04915.

    The same command goes on after an interruption. docs/allocation.md lists presets, options and files.

    Examples:
      munet allocation train mnist4 --preset small --data data --out runs/mnist4-0
      munet allocation train mnist4 --budget 0.75 --budget-penalty 1 --data data --out runs/budget-0
      munet allocation train synthetic --method shared_bottom --set correlation=0.5 --out runs/shared
    """
    from munet.allocation.runs.perform import configured, perform

    given |= {"seed": seed, "threads": threads, "temperature_init": _temperature(given["temperature_init"])}
    options = {name: _value(word) for name, word in parse_settings(setting or []).items()}
    config = configured(experiment, method, preset, data=options, **given)
    from munet.cli.allocation.view import stopping, watching

    with watching(as_json) as observe, stopping() as stop:
        summary = perform(config, out, data, device=device, observe=observe, stop=stop)
    if not as_json:
        from munet.cli.allocation.view import summary_lines

        show(*summary_lines(summary, out))


def _temperature(word: str | None) -> float | str | None:
    if word is None:
        return None
    try:
        return float(word)
    except ValueError:
        return word  # `scaled`; anything else is refused with the rest of the configuration


def _value(word: str) -> int | float | str | bool:
    """A value of --set: a number or a truth value where it reads as one."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
