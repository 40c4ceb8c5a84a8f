"""What a run of `evolve` is asked to do, checked. Needs no torch, so that a mistake is reported at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from munet.errors import InputError
from munet.evolution.executors.worker_plan import check_where
from munet.evolution.options import Budget, Where
from munet.model.loader import ModelLoader
from munet.search import Method, load_method, starting_preprocessing, with_samples_per_task
from munet.search.adaptive import refuse_computed
from munet.tasks.reopen import refuse_missing
from munet.tasks.trust import refuse_received
from munet.training.precision import check_precision


@dataclass(frozen=True)
class Asked:
    """Which tasks are evolved, each once and in order, and by what method with all its settings."""

    method: Method
    tasks: tuple[str, ...]


def understood(
    models: ModelLoader,
    tasks: Sequence[str] | None,
    method: str,
    *,
    budget: Budget,
    where: Where,
    image_size: int | None,
    preprocessing: str,
    settings: Mapping[str, Any] | None,
) -> Asked:
    """The arguments of `evolve`, as far as they can be checked without a device and without reading images.

    InputError: an unknown method, setting or task, a value out of range, a system that cannot evolve or has no tasks,
    images that are not where they were.
    """
    overrides = {**starting_preprocessing(preprocessing), **budget.overrides(), **(settings or {})}
    chosen = load_method(method, overrides)
    refuse_computed(chosen, settings or {}, preprocessing)
    if budget.samples_per_task is not None:
        chosen = with_samples_per_task(chosen, budget.samples_per_task)
    architecture = models.architecture  # refused at once where nothing can evolve
    if where.precision != "auto":
        check_precision(where.precision)
    if image_size is not None:
        architecture.check_image_size(image_size)
    check_where(where)
    store = models.store
    names = tuple(dict.fromkeys(tasks)) if tasks else tuple(store.tasks())
    if not names:
        text = f"{store.path} has no tasks yet: add one with `munet add {store.path} NAME SOURCE`"
        raise InputError(text, kind="no-tasks")
    for name in names:
        refuse_received(store.read_task(name))
        refuse_missing(store.read_task(name))
    return Asked(chosen, names)
