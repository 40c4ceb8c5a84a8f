"""Options of `munet allocation train` that stand for a value of the preset: each is declared once, as a value."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

import typer

from munet.allocation.runs.perform import COMBINE, RunConfig
from munet.allocation.training.settings import INACTIVE, KEEP, UNITS, UPDATES, Settings
from munet.cli.common import one_of


@dataclass(frozen=True)
class Setting:
    """A field of `Settings` or `RunConfig` as an option of the same name, `budget_unit` as `--budget-unit`.

    A truth value has two, `--fallback` and `--no-fallback`. `choices` are for completion: the field refuses others.
    """

    name: str
    help: str
    choices: tuple[str, ...] = ()
    metavar: str | None = None


PANELS: Mapping[str, tuple[Setting, ...]] = {
    "Training": (
        Setting("rounds", "Every task once in each."),
        Setting("batch_size", "Examples of an update."),
        Setting("learning_rate", "Of the network."),
        Setting("l2_penalty", "On kernels, norms and heads."),
        Setting("l2_norms", "Whether it is on norms too."),
        Setting(
            "inactive_gradients", "zero: Adam moves what a task does not use, as published; skip: it rests.", INACTIVE
        ),
        Setting("update", "per-task, as published, or per-round.", UPDATES),
        Setting("evaluate_every", "Rounds between validations, each with a checkpoint."),
        Setting("keep", "Checkpoints with weights: all or best.", KEEP),
    ),
    "Allocation": (
        Setting("router_learning_rate", "As --learning-rate unless given."),
        Setting("probs_init", "Of each connection at the start."),
        Setting("temperature_init", "scaled: fits the number of updates.", metavar="T|scaled"),
        Setting("temperature_min", "Where it stops."),
        Setting("combine", "Of fixed methods: sum, as published, or mean.", COMBINE),
        Setting("fallback", "Evaluate empty layers with the likeliest one."),
    ),
    "Penalties": (
        Setting("budget", "Share of components that costs nothing."),
        Setting("budget_penalty", "For what is above it."),
        Setting("budget_unit", "components, parameters or flops.", UNITS),
        Setting("entropy_penalty", "For undecided connections."),
        Setting("entropy_penalty_alpha", "How late it grows."),
        Setting("disconnect_penalty", "For layers that may be empty."),
        Setting("connection_penalty", "For each connection."),
    ),
}


def panel(title: str) -> dict[str, Any]:
    """Where the help lists an option whose default is the preset's."""
    return {"rich_help_panel": f"{title} (from the preset unless given)", "show_default": False}


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with an option for each setting in place of its `**given`, which gets them all by name, None for those
    that were not given. They stand behind its own options and before those that its signature has after a `*`."""
    own = [one for one in inspect.signature(command).parameters.values() if one.kind is not one.VAR_KEYWORD]
    last = [one for one in own if one.kind is one.KEYWORD_ONLY]
    first = [one for one in own if one not in last]
    made = [_parameter(setting, title) for title, settings in PANELS.items() for setting in settings]
    # typer reads the signature, and the types from the annotations
    command.__annotations__ |= {one.name: one.annotation for one in made}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [one.replace(kind=one.KEYWORD_ONLY) for one in (*first, *made, *last)]
    )
    return command


def _parameter(setting: Setting, title: str) -> inspect.Parameter:
    kind = _kind(setting.name)
    flag = setting.name.replace("_", "-")
    names = [f"--{flag}/--no-{flag}"] if kind is bool else []
    option = typer.Option(
        *names,
        help=setting.help,
        metavar=setting.metavar,
        autocompletion=one_of(*setting.choices) if setting.choices else None,
        **panel(title),
    )
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _kind(name: str) -> type:
    """The type of a field's values; a word where it may be a number or a word."""
    hint = (get_type_hints(Settings) | get_type_hints(RunConfig))[name]
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else str
