"""Budgets: what each task of an experiment may cost, and how methods divide it. `budgets.toml` holds them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from munet.catalog import Benchmark
from munet.errors import InputError, suggest
from munet.experiments.spec import Spec
from munet.search import Method, load_method, preset_names, starting_preprocessing, with_samples_per_task

_SHAPE = ("task_iterations", "generations", "children", "cycles")
_PUBLISHED = (*_SHAPE, "samples_per_cycle", "batch_size", "validation_cap", "parameters_reference", "flops_reference")
_BASELINES = {"decathlon": {"cycles": 480, "batch_size": 256}}  # muNet eq. 4: as many cycles as the methods get


@dataclass(frozen=True)
class Budget:
    """A named budget. Without `samples` each method keeps its own."""

    name: str
    about: str
    samples: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    evolution: Mapping[str, int] = field(default_factory=dict)
    baseline: Mapping[str, int] = field(default_factory=dict)


def budgets() -> dict[str, Budget]:
    """All budgets by name."""
    text = files("munet.experiments").joinpath("budgets.toml").read_text(encoding="utf-8")
    return {name: Budget(name, **values) for name, values in tomllib.loads(text).items()}


def load_budget(name: str) -> Budget:
    """InputError for an unknown name."""
    known = budgets()
    if name not in known:
        raise InputError(f"unknown budget '{name}'{suggest(name, known)}; known: {', '.join(known)}")
    return known[name]


def settings_for(spec: Spec, budget: Budget, benchmark: Benchmark) -> dict[str, Any]:
    """What to ask of `munet.evolve` so that a method is trained at a budget: `method` and all that is changed of it.

    The method's own changes come last. InputError where the samples do not divide.
    """
    method = spec.method()
    overrides: dict[str, Any] = dict(starting_preprocessing(spec.preprocessing))
    baseline = method.parents == "root"
    if budget.samples is None:
        overrides |= _published(spec, benchmark, baseline)
    else:
        if method.is_one_child:  # its shape is what it is about
            overrides["validation_cap"] = budget.settings["validation_cap"]
        else:
            overrides |= {**budget.settings, **(budget.baseline if baseline else budget.evolution)}
    overrides |= spec.settings
    if spec.replicas is not None:
        overrides |= _replicas(spec, load_method(spec.base, overrides))
    chosen = load_method(spec.base, overrides)
    samples = spec.samples or budget.samples
    if samples is not None:
        chosen = with_samples_per_task(chosen, samples)
    return _differences(chosen, spec.base)


def _published(spec: Spec, benchmark: Benchmark, baseline: bool) -> dict[str, Any]:
    """The published budget for a family of benchmarks; the constants of the score only with the published root."""
    if baseline:
        return _BASELINES.get(benchmark.family, {})
    preset = f"{spec.base.removesuffix('-no-autotune').removesuffix('-no-compute')}-{benchmark.family}"
    if preset not in preset_names():
        return {}
    published = load_method(preset)
    keys = _PUBLISHED if not benchmark.root.startswith("builtin:") else _PUBLISHED[:-2]
    own = spec.method()
    return {
        key: getattr(published, key) for key in keys if not (key == "flops_reference" and own.flops_reference is None)
    }


def _replicas(spec: Spec, method: Method) -> dict[str, int]:
    """Fewer replicas, longer each."""
    cycles, rest = divmod(method.children * method.cycles, spec.replicas or 1)
    if method.parents != "root":
        raise InputError(f"method '{spec}': replicas are of baselines; children=N changes an evolution")
    if rest:
        raise InputError(
            f"method '{spec}': {method.children} x {method.cycles} cycles do not divide into {spec.replicas} replicas"
        )
    return {"children": spec.replicas or 1, "cycles": cycles}


def _differences(method: Method, base: str) -> dict[str, Any]:
    """What `load_method(base, …)` needs to give `method`."""
    plain, wanted = load_method(base).model_dump(), method.model_dump()
    changed: dict[str, Any] = {}
    for key, value in wanted.items():
        if key in ("space", "defaults"):
            inner = {f"{key}.{name}": item for name, item in value.items() if plain[key].get(name) != item}
            changed |= inner | {f"{key}.{name}": "none" for name in plain[key] if name not in value}
        elif value != plain[key]:
            changed[key] = "none" if value is None else value
    return changed
