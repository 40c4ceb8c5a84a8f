"""experiment: grids of methods and seeds on a benchmark, and their tables."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import ImageSets, complete_benchmark, one_of

if TYPE_CHECKING:
    from munet.catalog import Benchmark

OUT = Path("experiments")
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the runs lie.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1.")]
Precision = Annotated[str, typer.Option(help="fp32 or bf16; auto is bf16 where that is faster (docs/engine.md).")]


def register(app: typer.Typer) -> None:
    from munet.cli.experiment.tables import plot, table

    group = typer.Typer(
        no_args_is_help=True, help="Run methods on a benchmark at equal budget, and compare what came of it."
    )
    group.command("run")(run)
    group.command("continual")(continual)
    group.command("table")(table)
    group.command("plot")(plot)
    app.add_typer(group, name="experiment")


def run(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK",
            help="A name from `munet catalog`.",
            autocompletion=complete_benchmark,
            show_default=False,
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="METHOD", help="For instance munet, adapters:64, munet+scale=0.3; repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each method, seeded 0, 1, …")] = 1,
    budget: Annotated[
        str,
        typer.Option(
            help="mini, small, large or paper (docs/experiments.md).",
            autocompletion=one_of("mini", "small", "large", "paper"),
        ),
    ] = "mini",
    out: Out = OUT,
    data: ImageSets = None,
    scale: Annotated[float | None, typer.Option(help="Of every method: below 1, size costs score.")] = None,
    preprocessing: Annotated[
        str | None, typer.Option(help="Of every method: published, or none to start without augmentation.")
    ] = None,
    samples_per_task: Annotated[
        int | None, typer.Option(min=1, help="Of every method, in place of the budget's.", show_default=False)
    ] = None,
    first_seed: Annotated[int, typer.Option(min=0, help="Seeds count from here.")] = 0,
    parallel: Annotated[
        int | None,
        typer.Option(min=1, help="Runs at a time; one on each GPU, or as many as the cores carry.", show_default=False),
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each run.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON event a line.")] = False,
) -> None:
    """Run methods and seeds on a benchmark, each in a system of its own.

    The same command goes on with what is not finished; finished runs are left alone.

    Examples:
      munet experiment run mccb-local --data data --method mu2net-plus --method finetune-full --seeds 3
      munet experiment run mccb-local --data data --method adapters:512 --preprocessing none --budget small
      munet experiment table mccb-local
    """
    from munet.catalog import load_benchmark
    from munet.cli.common import show
    from munet.cli.experiment.view import watching
    from munet.errors import InputError
    from munet.evolution.options import METHOD, Where
    from munet.experiments.budgets import load_budget, settings_for
    from munet.experiments.grid import grid
    from munet.experiments.scheduler import perform_all
    from munet.experiments.slots import devices_for
    from munet.experiments.spec import Spec

    known = load_benchmark(benchmark)
    specs = [Spec.parse(word) for word in dict.fromkeys(method or [METHOD])]
    specs = [spec.changed(scale=scale, preprocessing=preprocessing, samples=samples_per_task) for spec in specs]
    for spec in specs:
        settings_for(spec, load_budget(budget), known)  # refuses what cannot be
    _refuse_missing(known, data)
    runs = grid(out, benchmark, budget, specs, range(first_seed, first_seed + seeds))
    where = Where(device=device, precision=precision, threads=threads, executor="local")
    with watching(runs, as_json) as listen:
        failed = perform_all(
            [one for one in runs if not one.finished],
            data,
            where,
            listen,
            devices=devices_for(device, threads, parallel),
        )
    if failed:
        others = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
        raise InputError(f"{failed[0].run}: {failed[0].error}{others}")
    if not as_json:
        where_to = "" if out == OUT else f" --out {shlex.quote(str(out))}"
        show(f"All finished. Next: munet experiment table {benchmark} --budget {budget}{where_to}")


def _refuse_missing(benchmark: "Benchmark", data: Path | None) -> None:
    """What cannot be had is said before anything starts."""
    from munet.catalog import unavailable
    from munet.errors import InputError

    missing = unavailable(benchmark, data)
    if missing:
        task, reason = missing[0]
        others = f" (and {len(missing) - 1} more: `munet catalog {benchmark.name}`)" if len(missing) > 1 else ""
        raise InputError(f"benchmark {benchmark.name}: task {task.name} cannot be had: {reason}{others}")


def continual(
    sequence: Annotated[
        str,
        typer.Argument(metavar="SEQUENCE", help="continual-local, or a file ending in .toml.", show_default=False),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 0,
    out: Out = OUT,
    data: ImageSets = None,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of each child.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON event a line.")] = False,
) -> None:
    """Grow one system through a sequence of methods and task sets (mu2Net+ sec. 5).

    The same command goes on where it stopped. `munet experiment plot` draws the curves.

    Examples:
      munet experiment continual continual-local --data data
      munet experiment plot continual-local --kind growth --write growth.png
    """
    from munet.cli.common import show
    from munet.cli.evolve.command import watching
    from munet.cli.text.formatting import number, percent
    from munet.evolution.options import Where
    from munet.experiments.growing import folder, grow
    from munet.experiments.sequences import load_sequence
    from munet.text import clean

    chosen = load_sequence(sequence)
    _refuse_missing(chosen.benchmark(), data)
    where = Where(device=device, precision=precision, threads=threads, executor="auto")

    def begin(one: Any) -> None:
        if not as_json:
            show(f"{clean(one.segment.name)}, task iteration {one.number + 1}: {clean(one.segment.spec)}")

    with watching([], as_json) as watch:
        result = grow(chosen, out, seed, data, where, begin=begin, observe=watch)
    if as_json:
        return
    show(
        f"{clean(sequence)}: {len(result['tasks'])} tasks, mean test {percent(result['mean_test_accuracy'])} %, "
        f"{number(result['parameters_per_task'])} parameters a task; {clean(folder(out, chosen, seed))}"
    )
