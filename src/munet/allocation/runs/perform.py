"""The experiments of arXiv 1910.04915 as runs: what is asked for, and the network, allocation and data it means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.allocation.runs.folder import text
from munet.allocation.runs.presets import SCALED, preset, scaled_temperature
from munet.allocation.training.settings import Settings, choose
from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from munet.allocation.data.tasks import TaskData
    from munet.allocation.network.network import MultitaskNetwork
    from munet.allocation.routing.allocations import Allocation
    from munet.allocation.training.trainer import Observer

METHODS = ("no_sharing", "shared_bottom", "gumbel_matrix")
COMBINE = ("sum", "mean")


@dataclass(frozen=True)
class RunConfig:
    """One run of an experiment, as `munet allocation train` is asked for it.

    probs_init        initial probability of each connection of a learned allocation
    temperature_init, temperature_min  of its samples; "scaled": see `scaled_temperature`
    combine           "sum" or "mean" of the components of a layer, for fixed methods; a learned allocation averages
    fallback          a learned allocation evaluates a layer of which a task uses nothing with the likeliest component
    threads           of torch; None leaves it to torch
    data              options of the experiment's data
    """

    experiment: str
    method: str
    preset: str
    settings: Settings
    probs_init: float = 0.5
    temperature_init: float | str = 50.0
    temperature_min: float = 0.5
    combine: str = "mean"
    fallback: bool = False
    threads: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choose("method", self.method, METHODS)
        choose("combine", self.combine, COMBINE)
        if not 0 < self.probs_init < 1:
            raise InputError(f"--probs-init {self.probs_init}: a probability above 0 and below 1")
        if not self.temperature_min > 0:
            raise InputError(f"--temperature-min {self.temperature_min}: give a number above 0")
        if self.temperature_init != SCALED:
            if isinstance(self.temperature_init, str):
                raise InputError(f"--temperature-init {self.temperature_init}: give a number, or {SCALED}")
            if not self.temperature_init >= self.temperature_min:
                raise InputError(
                    f"--temperature-init {self.temperature_init} is below --temperature-min {self.temperature_min}: "
                    "samples cool from the first to the second"
                )

    def request(self) -> dict[str, Any]:
        """What makes the run what it is, flat; two runs of the same request are the same run."""
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("settings", "data")}
        return own | self.settings.plain() | {f"data.{name}": value for name, value in sorted(self.data.items())}

    @classmethod
    def of_request(cls, request: Mapping[str, Any]) -> "RunConfig":
        """The inverse of `request`. InputError for one that was not made by an experiment."""
        if "experiment" not in request:
            raise InputError("this run was made from Python, not by `munet allocation train`: evaluate it there")
        own = {item.name: request[item.name] for item in fields(cls) if item.name in request}
        settings = Settings(**{item.name: request[item.name] for item in fields(Settings) if item.name in request})
        data = {name.removeprefix("data."): value for name, value in request.items() if name.startswith("data.")}
        return cls(**own, settings=settings, data=data)


def configured(experiment: str, method: str = "gumbel_matrix", preset_name: str = "paper", **given: Any) -> RunConfig:
    """The configuration of a preset with what is `given` in its place; None means not given.

    `data` in `given` is a mapping of options of the experiment's data. InputError for unknown names and values that
    cannot be.
    """
    values = preset(experiment, preset_name)
    given_data = given.pop("data", None) or {}
    data = values.pop("data") | given_data
    values |= {name: value for name, value in given.items() if value is not None}
    names = {item.name for item in fields(Settings)}
    settings = Settings(**{name: values.pop(name) for name in list(values) if name in names})
    own = [item.name for item in fields(RunConfig)]
    for name in values:
        if name not in own:
            raise InputError(f"unknown setting '{name}'{suggest(name, [*own, *names])}", kind="unknown-setting")
    config = RunConfig(experiment, method, preset_name, settings, data=data, **values)
    if given_data:
        _check_data(experiment, data)  # imports torch, so all else is checked before
    return config


def _check_data(experiment: str, data: Mapping[str, Any]) -> None:
    """InputError for options that the experiment's data lacks, or of another kind than their defaults."""
    from munet.allocation.data.tasks import options

    known = options(experiment)
    for name, value in data.items():
        if name not in known:
            listed = ", ".join(f"{option}={text(default)}" for option, default in known.items())
            raise InputError(f"--set {name}{suggest(name, known)}: the data of {experiment} has {listed}")
        default = known[name]
        kinds = (int, float) if isinstance(default, float) else (int,) if default is None else (type(default),)
        if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool):
            wanted = {bool: "true or false", float: "a number", str: "a word"}.get(kinds[-1], "a whole number")
            raise InputError(f"--set {name}={text(value)}: give {wanted}, for instance {name}={text(default)}")


@dataclass(frozen=True, eq=False)
class Made:
    """What a configuration means: data, network and allocation, initialised from the seed."""

    tasks: "list[TaskData]"
    network: "MultitaskNetwork"
    allocation: "Allocation"


def make(config: RunConfig, data: Path | None) -> Made:
    """Load the data of a run, initialise network and allocation. InputError where data is missing or does not fit."""
    from munet.allocation.data.tasks import load

    tasks = load(config.experiment, data, seed=config.settings.seed, **config.data)
    network = make_network(config, [task.classes for task in tasks], tasks[0].splits["train"].input_shape)
    return Made(tasks, network, make_allocation(config, [task.name for task in tasks], network))


def make_network(config: RunConfig, classes: Sequence[int], input_shape: tuple[int, ...]) -> "MultitaskNetwork":
    """The network of an experiment, initialised from the seed."""
    from munet.allocation.network import models
    from munet.rng import torch_rng

    generator = torch_rng(config.settings.seed, "allocation", "initial")
    if config.experiment == "mnist4":
        return models.mnist4(classes, generator=generator)
    if config.experiment == "omniglot20":
        return models.omniglot20(classes, generator=generator, side=input_shape[-1])
    if config.experiment == "synthetic":
        return models.synthetic(len(classes), input_shape[0], generator=generator)
    return models.clusters(classes, generator=generator)


def make_allocation(config: RunConfig, names: Sequence[str], network: "MultitaskNetwork") -> "Allocation":
    """The allocation of tasks of these names, as it is before any training."""
    from munet.allocation.routing.allocations import FixedAllocation, LearnedAllocation
    from munet.allocation.routing.fallback import FallbackAllocation

    sizes = network.routed_sizes
    if config.method == "no_sharing":
        return FixedAllocation.no_sharing(names, sizes)
    if config.method == "shared_bottom":
        return FixedAllocation.shared_bottom(names, sizes, normalize=config.combine == "mean")
    start = config.temperature_init
    if isinstance(start, str):
        start = scaled_temperature(config.settings.updates(len(names)), config.temperature_min)
    kind = FallbackAllocation if config.fallback else LearnedAllocation
    return kind(
        names,
        sizes,
        initial_probability=config.probs_init,
        temperature_init=start,
        temperature_min=config.temperature_min,
    )


def perform(
    config: RunConfig,
    out: Path,
    data: Path | None = None,
    *,
    device: str = "auto",
    observe: "Observer | None" = None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Train a run to its end, or go on with it; its summary. See `trainer.train`.

    The threads of a run are part of it, because sums depend on how they are split: where none are asked for, a run that
    goes on uses as many as it began with.
    """
    import torch

    from munet.allocation.runs.folder import RunFolder
    from munet.allocation.training.trainer import train
    from munet.training.devices import choose_device

    folder = RunFolder(out)
    chosen = choose_device(device)
    began = folder.compare(config.request())
    summary = folder.summary()
    if summary is not None:
        if observe:
            observe("finished", summary)
        return summary
    threads = config.threads or (began["threads"] if began else None)
    if threads:
        torch.set_num_threads(threads)
    made = make(config, data)
    return train(
        made.network,
        made.allocation,
        made.tasks,
        config.settings,
        out,
        request=config.request(),
        device=chosen,
        observe=observe,
        stop=stop,
    )
