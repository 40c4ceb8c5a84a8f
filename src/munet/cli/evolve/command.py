"""evolve and methods: growing a system, and the ways to do it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import (
    JsonFlag,
    SystemPath,
    complete_task,
    console,
    one_of,
    open_system,
    parse_settings,
    show,
    show_json,
)
from munet.cli.evolve.agreement import agree, forecast, parse_time
from munet.cli.text.progress import progress
from munet.evolution.executors.worker_plan import EXECUTORS
from munet.evolution.options import METHOD, SAMPLES, Budget, Where
from munet.fs.sizes import parse_size

if TYPE_CHECKING:
    from munet.cli.evolve.observers import Observer
    from munet.evolution.estimate import Estimate
    from munet.evolution.events import Event
    from munet.system import System


def register(app: typer.Typer) -> None:
    app.command("evolve")(evolve)
    app.command("methods")(methods)


def complete_method(incomplete: str) -> list[str]:
    folder = Path(__file__).parents[2] / "search" / "presets"
    return sorted(file.stem for file in folder.glob("*.toml") if file.stem.startswith(incomplete))


_BUDGET: dict[str, Any] = {"rich_help_panel": "Budget (from the method unless given)", "show_default": False}
_RUN: dict[str, Any] = {"rich_help_panel": "Run"}
_WHERE: dict[str, Any] = {"rich_help_panel": "Where children are trained (no result depends on it)"}
_HIDDEN: dict[str, Any] = {"show_default": False, **_WHERE}


Log = Annotated[
    list[str] | None,
    typer.Option(
        metavar="tensorboard:DIR",
        help="Show the curves there too: tensorboard:DIR, trackio:PROJECT, wandb:PROJECT; repeatable.",
        **_RUN,
        show_default=False,
    ),
]


def evolve(
    system: SystemPath,
    tasks: Annotated[
        list[str] | None,
        typer.Argument(metavar="TASKS", help="All of them unless named.", autocompletion=complete_task),
    ] = None,
    method: Annotated[
        str, typer.Option(help="A preset (`munet methods`) or a file ending in .toml.", autocompletion=complete_method)
    ] = METHOD,
    task_iterations: Annotated[int | None, typer.Option(help="Task iterations of each task.", **_BUDGET)] = None,
    generations: Annotated[int | None, typer.Option(help="Generations of a task iteration.", **_BUDGET)] = None,
    children: Annotated[int | None, typer.Option(help="Children of a generation.", **_BUDGET)] = None,
    cycles: Annotated[int | None, typer.Option(help="Training cycles of a child.", **_BUDGET)] = None,
    samples_per_cycle: Annotated[int | None, typer.Option(help="Images of a cycle at most.", **_BUDGET)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images of a step.", **_BUDGET)] = None,
    scale: Annotated[float | None, typer.Option(help="Below 1, size costs score.", **_BUDGET)] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="quick|standard|thorough",
            help="12,800, 51,200 or 204,800 training images of each task, by any method.",
            autocompletion=one_of(*SAMPLES),
            **_BUDGET,
        ),
    ] = None,
    samples_per_task: Annotated[
        int | None, typer.Option(min=1, help="Images that each task is trained on in this run.", **_BUDGET)
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(metavar="10m", help="As many images as can be trained on in that time.", **_BUDGET),
    ] = None,
    preprocessing: Annotated[
        str,
        typer.Option(
            help="published: the method's augmentation at the start; none: no augmentation.",
            autocompletion=one_of("published", "none"),
            rich_help_panel="Budget (from the method unless given)",
        ),
    ] = "published",
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other setting; repeatable.", **_BUDGET),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every draw.", **_RUN)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", **_RUN)] = "auto",
    image_size: Annotated[int | None, typer.Option(min=1, help="Fixes the pixels a side.", **_RUN)] = None,
    precision: Annotated[
        str,
        typer.Option(
            help="fp32 or bf16; auto is bf16 where that is faster (docs/engine.md).",
            autocompletion=one_of("auto", "fp32", "bf16"),
            **_RUN,
        ),
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads of each child.", show_default=False, **_RUN)
    ] = None,
    allow_changed: Annotated[bool, typer.Option("--allow-changed", help="Accept data that changed.", **_RUN)] = False,
    trust_sources: Annotated[
        bool, typer.Option("--trust-sources", help="Open images of tasks not added on this machine.", **_RUN)
    ] = False,
    abandon: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Leave this interrupted run behind, and its models.", show_default=False, **_RUN
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how long it takes here, and how much disk, and stop.", **_RUN)
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start what takes over an hour unasked.", **_RUN)] = False,
    log: Log = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON event a line.", **_RUN)] = False,
    executor: Annotated[
        str,
        typer.Option(
            help="local (this process), processes, ray; auto fills the machine.",
            autocompletion=one_of(*EXECUTORS),
            **_WHERE,
        ),
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Children at a time; all that fit unless given.", **_HIDDEN)
    ] = None,
    address: Annotated[
        str | None, typer.Option(metavar="auto|HOST:PORT", help="Ray cluster; none starts a Ray here.", **_HIDDEN)
    ] = None,
    gpus_per_child: Annotated[
        float | None, typer.Option(metavar="GPUS", help="On Ray: 1, or a part such as 0.25.", **_HIDDEN)
    ] = None,
    cache_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Activations to keep, on each machine or GPU: 2GB, 512MB, 0. A quarter of its memory unless given.",
            **_HIDDEN,
        ),
    ] = None,
    no_reuse: Annotated[
        bool, typer.Option("--no-reuse", help="Compute everything anew: slow, to compare with.", **_WHERE)
    ] = False,
) -> None:
    """Evolve tasks: sample children, train them, keep what is better.

    After an interruption the same command goes on; after a finished run it adds further task iterations.

    Examples:
      munet evolve fleet
      munet evolve fleet --method adaptive --budget quick
      munet evolve fleet --method adaptive --time 10m
      munet evolve fleet --method mu2net-plus --dry-run
      munet evolve fleet mnist flowers --method mu2net-plus --task-iterations 2 --cycles 4
      munet evolve fleet --method adapters:64 --preprocessing none --samples-per-task 204800
      munet evolve fleet --method mu2net-plus --set defaults.learning_rate=0.02 --set acceptance='>'
      munet evolve fleet --executor processes --workers 4 --threads 2 --cache-memory 8GB
      munet evolve fleet --executor ray --address auto --device cuda --gpus-per-child 0.25
    """
    settings: dict[str, Any] = dict(parse_settings(setting or []))
    if scale is not None:
        settings["scale"] = scale
    given: dict[str, Any] = {
        "task_iterations": task_iterations,
        "generations": generations,
        "children": children,
        "cycles": cycles,
        "samples_per_cycle": samples_per_cycle,
        "batch_size": batch_size,
        "samples_per_task": samples_per_task,
        "time": None if time is None else parse_time(time),
    }
    spent = Budget(**given) if budget is None else Budget.named(budget, **given)
    where = Where(
        device=device,
        precision=precision,
        executor=executor,
        workers=workers,
        threads=threads,
        address=address,
        gpus_per_child=gpus_per_child,
        cache_memory=None if cache_memory is None else parse_size(cache_memory, f"--cache-memory {cache_memory}"),
        reuse=not no_reuse,
    )
    opened = open_system(system)
    if trust_sources:
        opened.trust_sources(tasks)
    from munet.evolution.asked import understood

    asked = understood(
        opened.models, tasks, method, budget=spent, where=where,
        image_size=image_size, preprocessing=preprocessing, settings=settings,
    )  # fmt: skip  # again by `evolve`, which has torch to import first

    def estimated() -> "Estimate":
        from munet import estimate

        with progress("measuring the speed"):
            return estimate(
                opened, tasks, method, budget=spent, where=where,
                image_size=image_size, preprocessing=preprocessing, settings=settings,
            )  # fmt: skip

    if dry_run:
        forecast(opened, estimated(), as_json=as_json)
        return
    agree(opened, asked, estimated, image_size=image_size, timed=spent.time is not None, yes=yes, as_json=as_json)
    with compared(opened, asked.tasks, as_json) as rows, watching(rows, as_json, log) as watch:
        from munet import evolve as grow  # torch loads while the view is up already

        grow(
            opened,
            tasks or None,
            method,
            budget=spent,
            where=where,
            seed=seed,
            image_size=image_size,
            preprocessing=preprocessing,
            settings=settings,
            allow_changed=allow_changed,
            abandon=abandon,
            observer=watch,
        )


@contextmanager
def compared(system: "System", tasks: Sequence[str], as_json: bool) -> Iterator[list[dict[str, Any]]]:
    """Yields the tasks as they are; shows them before and after the block, also where a person ends that early."""
    before = system.status()["tasks"]
    try:
        yield before
    except (KeyboardInterrupt, SystemExit):
        if not as_json:
            _show_compared(system, before, tasks)
        raise
    if not as_json:
        _show_compared(system, before, tasks)


@contextmanager
def watching(rows: list[dict[str, Any]], as_json: bool, log: Sequence[str] | None = None) -> Iterator["Observer"]:
    """An observer for `evolve`: a live view in a terminal, plain lines elsewhere, or JSON; and what `--log` names."""
    from munet.cli.evolve.observers import json_lines, live_view, plain_lines

    out = console()
    if as_json:
        watching = json_lines()
    elif out.is_terminal and not out.is_dumb_terminal:
        watching = live_view(rows, out)
    else:
        watching = plain_lines(rows)
    with ExitStack() as stack:
        from munet.evolution.sinks import sink

        observers = [stack.enter_context(sink(address)) for address in log or ()]
        observers.append(stack.enter_context(watching))

        def observe(event: "Event") -> None:
            for one in observers:
                one(event)

        yield observe


def _show_compared(system: "System", before: list[dict[str, Any]], tasks: Sequence[str]) -> None:
    from munet.cli.text.grid import line
    from munet.cli.text.renderables import before_after_view, totals_line

    after, width = system.status(), console().width
    show(line(""), before_after_view(before, after["tasks"], tasks, width), line(""), line(totals_line(after)))


def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A preset, or a file ending in .toml.",
            show_default=False,
            autocompletion=complete_method,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the methods, or show the settings of one.

    With a name: each setting, and where its value comes from.

    Examples:
      munet methods
      munet methods mu2net-plus
    """
    from munet.cli.evolve.methods import list_methods, show_method

    if name is None:
        found = list_methods()
    else:
        found = show_method(name)
    if as_json:
        show_json(found)
        return
    from munet.cli.evolve.methods import methods_view

    show(methods_view(found, console().width))
