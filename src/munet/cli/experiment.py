"""experiment: grids of methods and seeds on a benchmark, and their tables."""

from pathlib import Path
from typing import Annotated

import typer

OUT = Path("experiments")
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the runs lie.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True, help="Run methods on a benchmark at equal budget, and compare what came of it."
    )
    group.command("run")(run)
    app.add_typer(group, name="experiment")


def complete_benchmark(incomplete: str) -> list[str]:
    from munet.experiments.catalog import benchmark_names

    return sorted(name for name in benchmark_names() if name.startswith(incomplete))


def complete_budget(incomplete: str) -> list[str]:
    return [name for name in ("mini", "small", "large", "paper") if name.startswith(incomplete)]


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
        str, typer.Option(help="mini, small, large or paper (docs/experiments.md).", autocompletion=complete_budget)
    ] = "mini",
    out: Out = OUT,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of local image sets.", envvar="MUNET_DATA", show_default=False),
    ] = None,
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
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1.")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32 or bf16; auto is bf16 on a GPU that has it.")] = "auto",
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
    from munet.cli.experiment_view import watching
    from munet.errors import InputError
    from munet.experiments.budgets import load_budget, settings_for
    from munet.experiments.catalog import load_benchmark, unavailable
    from munet.experiments.grid import grid
    from munet.experiments.running import Where
    from munet.experiments.scheduler import perform_all
    from munet.experiments.slots import devices_for
    from munet.experiments.spec import Spec

    known = load_benchmark(benchmark)
    specs = [Spec.parse(word) for word in dict.fromkeys(method or ["mu2net-plus"])]
    specs = [spec.changed(scale=scale, preprocessing=preprocessing, samples=samples_per_task) for spec in specs]
    for spec in specs:
        settings_for(spec, load_budget(budget), known)  # refuses what cannot be
    missing = unavailable(known, data)
    if missing:
        name, reason = missing[0]
        others = f" (and {len(missing) - 1} more: `munet catalog {benchmark}`)" if len(missing) > 1 else ""
        raise InputError(f"benchmark {benchmark}: task {name.name} cannot be had: {reason}{others}")
    runs = grid(out, benchmark, budget, specs, range(first_seed, first_seed + seeds))
    where = Where(device=device, precision=precision, threads=threads)
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
