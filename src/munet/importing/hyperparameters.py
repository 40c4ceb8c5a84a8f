"""Hyperparameters, mutation probabilities and measures of a published model under munet's names.

What munet has no name for, or would refuse, is not lost: `verbatim` keeps all that the row says, but for clocks.
"""

import math
from typing import Any

from munet.importing.blueprint import Blueprint
from munet.importing.components import slot_named
from munet.importing.state import Model
from munet.search.space import DOMAINS, check_value

NAMES = {
    "opt_lr": "learning_rate",
    "opt_lr_schedule": "schedule",
    "opt_lr_warmup_ratio": "warmup_ratio",
    "opt_momentum": "momentum",
    "opt_nesterov": "nesterov",
    "ds_crop": "crop",
    "ds_area_range_min": "crop_area_min",
    "ds_aspect_ratio_range_min": "crop_aspect_min",
    "ds_flip_left_right": "flip",
    "ds_brightness_delta": "brightness",
    "ds_contrast_delta": "contrast",
    "ds_saturation_delta": "saturation",
    "ds_hue_delta": "hue",
    "ds_quality_delta": "jpeg_quality",
    "ds_image_size": "image_size",
    "adapter_dim": "adapter_dim",
}
"""Published hyperparameter -> ours."""

_MU, _LEARNED = "_mu_", "_mu_|"
_KNOWN_ELSEWHERE = ("linear",)  # a schedule that no published experiment used


def hyperparameters(model: Model, blueprint: Blueprint | None = None) -> dict[str, Any]:
    """A model's hyperparameters under our names. Its tensors (`blueprint`) have the last word on sizes.

    InputError for a value that its hyperparameter cannot have.
    """
    found: dict[str, Any] = {}
    for theirs, ours in NAMES.items():
        column = f"hparams.{theirs}"
        kind = DOMAINS[ours].kind
        value: Any = model.row.flag(column) if kind is bool else model.row.text(column)
        if kind in (int, float):
            value = model.row.number(column)
        if value is None or value in _KNOWN_ELSEWHERE:
            continue
        try:
            found[ours] = check_value(ours, value, column)
        except ValueError as error:
            raise model.row.wrong(column, DOMAINS[ours].allowed) from error
    if "learning_rate" in found:
        found.setdefault("momentum", 0.0)  # None in the tables means that there was none
    if blueprint is not None:
        found["image_size"] = blueprint.image_size
        if blueprint.adapters:
            found["adapter_dim"] = next(iter(blueprint.adapters.values()))
    return found


def mutation_probabilities(model: Model) -> dict[str, float]:
    """What a model learned of mu: one number (mu2Net), or one for each decision that came up (mu2Net+)."""
    if not model.key[0]:
        rate = _probability(model, _MU)
        return {} if rate is None else {"mu": rate}
    learned: dict[str, float] = {}
    for column in model.row.columns:
        name = column.removeprefix("hparams.")
        decision = _decision(name.removeprefix(_LEARNED)) if name.startswith(_LEARNED) else None
        value = None if decision is None else _probability(model, name)
        if decision is not None and value is not None:
            learned[decision] = value
    return dict(sorted(learned.items()))  # here `_mu_` is how often these move, which our methods hold


def _probability(model: Model, name: str) -> float | None:
    value = model.row.number(f"hparams.{name}")
    if value is not None and not 0 <= value <= 1:
        raise model.row.wrong(f"hparams.{name}", "a probability")
    return value


def _decision(name: str) -> str | None:
    """Our name of a decision; None for one that we never take."""
    kind, _, what = name.partition(":")
    if kind == "hp":
        if what == "num_layers":
            return "remove:block"
        return f"hyperparameter:{NAMES[what]}" if what in NAMES else None
    slot = slot_named(what)
    if kind == "clone" and slot is not None:
        return f"clone:{slot}"
    return f"insert:{slot}" if kind == "add" and slot is not None else None


def accuracies(model: Model, *, earlier: bool) -> tuple[list[float], int]:
    """Validation accuracy of each cycle, and the cycle whose parameters were kept: of equal ones muNet keeps the
    `earlier`, its successors the later."""
    quality = model.row.number("metrics.quality")
    evals = model.row.json("metrics.evals", list) or []
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in evals):
        raise model.row.wrong("metrics.evals", "a list of accuracies")
    if not evals:
        return ([] if quality is None else [quality]), 0
    best = max(evals)
    kept = evals.index(best) if earlier else len(evals) - 1 - evals[::-1].index(best)
    return [float(value) for value in evals], kept


def selections(model: Model) -> dict[str, int]:
    """Children that were sampled from a model, by the published name of their task."""
    counts = model.row.json("metrics.offsprings_per_task", dict)
    if counts is None:  # muNet and mu3Net count children of the model's own task only
        count = model.row.whole("metrics.offsprings")
        return {model.task: count} if model.task and count else {}
    if not all(isinstance(count, int) and count >= 0 for count in counts.values()):
        raise model.row.wrong("metrics.offsprings_per_task", "a count of children by task")
    return {task: count for task, count in counts.items() if count}


def verbatim(model: Model) -> dict[str, Any]:
    """All that the row says of hyperparameters and measures, under the published names, without clocks."""
    metrics = model.row.group("metrics.")
    timeless = {name: value for name, value in metrics.items() if "_time" not in name}
    return {"hparams": model.settings, "metrics": timeless}
