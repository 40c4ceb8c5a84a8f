"""allocation: tasks trained jointly over a pool of components, each learning which it uses."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from munet.cli.common import parse_settings, show


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


def _one_of(*values: str) -> Callable[[str], list[str]]:
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def _options(panel: str) -> dict[str, Any]:
    return {"rich_help_panel": panel, "show_default": False}


_TRAINING = _options("Training (from the preset unless given)")
_ROUTER = _options("Allocation (from the preset unless given)")
_PENALTY = _options("Penalties (from the preset unless given)")
_DATA = _options("Data (from the preset unless given)")
_RUN: dict[str, Any] = {"rich_help_panel": "Run"}


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
            autocompletion=_one_of("no_sharing", "shared_bottom", "gumbel_matrix"),
            **_RUN,
        ),
    ] = "gumbel_matrix",
    preset: Annotated[
        str,
        typer.Option(
            help="paper (all of it), small or smoke (docs/allocation.md).",
            autocompletion=_one_of("paper", "small", "smoke"),
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
    rounds: Annotated[int | None, typer.Option(help="Every task once in each.", **_TRAINING)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples of an update.", **_TRAINING)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the network.", **_TRAINING)] = None,
    l2_penalty: Annotated[float | None, typer.Option(help="On kernels, norms and heads.", **_TRAINING)] = None,
    l2_norms: Annotated[
        bool | None, typer.Option("--l2-norms/--no-l2-norms", help="Whether it is on norms too.", **_TRAINING)
    ] = None,
    inactive_gradients: Annotated[
        str | None,
        typer.Option(
            help="zero: Adam moves what a task does not use, as published; skip: it rests.",
            autocompletion=_one_of("zero", "skip"),
            **_TRAINING,
        ),
    ] = None,
    update: Annotated[
        str | None,
        typer.Option(
            help="per-task, as published, or per-round.", autocompletion=_one_of("per-task", "per-round"), **_TRAINING
        ),
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Rounds between validations, each with a checkpoint.", **_TRAINING)
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(help="Checkpoints with weights: all or best.", autocompletion=_one_of("all", "best"), **_TRAINING),
    ] = None,
    router_learning_rate: Annotated[
        float | None, typer.Option(help="As --learning-rate unless given.", **_ROUTER)
    ] = None,
    probs_init: Annotated[float | None, typer.Option(help="Of each connection at the start.", **_ROUTER)] = None,
    temperature_init: Annotated[
        str | None, typer.Option(metavar="T|scaled", help="scaled: fits the number of updates.", **_ROUTER)
    ] = None,
    temperature_min: Annotated[float | None, typer.Option(help="Where it stops.", **_ROUTER)] = None,
    combine: Annotated[
        str | None,
        typer.Option(
            help="Of fixed methods: sum, as published, or mean.", autocompletion=_one_of("sum", "mean"), **_ROUTER
        ),
    ] = None,
    fallback: Annotated[
        bool | None,
        typer.Option("--fallback/--no-fallback", help="Evaluate empty layers with the likeliest one.", **_ROUTER),
    ] = None,
    budget: Annotated[float | None, typer.Option(help="Share of components that costs nothing.", **_PENALTY)] = None,
    budget_penalty: Annotated[float | None, typer.Option(help="For what is above it.", **_PENALTY)] = None,
    budget_unit: Annotated[
        str | None,
        typer.Option(
            help="components, parameters or flops.",
            autocompletion=_one_of("components", "parameters", "flops"),
            **_PENALTY,
        ),
    ] = None,
    entropy_penalty: Annotated[float | None, typer.Option(help="For undecided connections.", **_PENALTY)] = None,
    entropy_penalty_alpha: Annotated[float | None, typer.Option(help="How late it grows.", **_PENALTY)] = None,
    disconnect_penalty: Annotated[float | None, typer.Option(help="For layers that may be empty.", **_PENALTY)] = None,
    connection_penalty: Annotated[float | None, typer.Option(help="For each connection.", **_PENALTY)] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Of the data, e.g. alphabets=5; repeatable.", **_DATA),
    ] = None,
) -> None:
    """Train one run of an experiment of arXiv 1910.04915.

    The same command goes on after an interruption. docs/allocation.md lists presets, options and files.

    Examples:
      munet allocation train mnist4 --preset small --data data --out runs/mnist4-0
      munet allocation train mnist4 --budget 0.75 --budget-penalty 1 --data data --out runs/budget-0
      munet allocation train synthetic --method shared_bottom --set correlation=0.5 --out runs/shared
    """
    given = {
        name: value
        for name, value in locals().items()
        if name not in ("experiment", "method", "preset", "data", "out", "device", "as_json", "setting")
    }
    from munet.cli.allocation.view import stopping, watching

    with watching(as_json) as observe, stopping() as stop:
        from munet.allocation.runs.perform import configured, perform  # torch loads while the view is up already

        given["temperature_init"] = _temperature(temperature_init)
        options = {name: _value(word) for name, word in parse_settings(setting or []).items()}
        config = configured(experiment, method, preset, data=options, **given)
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
