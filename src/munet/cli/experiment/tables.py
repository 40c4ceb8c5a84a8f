"""experiment table and experiment plot: what the finished runs of an experiment say."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import JsonFlag, console, one_of, refuse_unknown, show, show_json, tell
from munet.cli.experiment.shared import (
    DEFAULT_OUT,
    Benchmark,
    Methods,
    Out,
    Seeds,
    check_target,
    finished,
    known_tasks,
    only_benchmark,
    tell_left_out,
    usual_budget,
)
from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from munet.catalog import Published
    from munet.experiments.results.read import Found, Place, Runs
    from munet.tables.table import Table

KINDS = ("pareto-size", "pareto-compute", "samples", "growth", "learning")
FORMATS = {"text": "", "markdown": ".md", "csv": ".csv", "latex": ".tex"}


Without = Annotated[
    list[str] | None,
    typer.Option(metavar="TASK", help="A mean without this task too; repeatable.", show_default="an omniglot"),
]
Written = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Write it too: .md, .csv or .tex; repeatable.", show_default=False),
]


def table(
    benchmark: Benchmark = None,
    out: Out = DEFAULT_OUT,
    budget: Annotated[
        str | None, typer.Option(help="Budget of the runs.", show_default="mini, or the only one")
    ] = None,
    method: Methods = None,
    seeds: Seeds = None,
    per_task: Annotated[bool, typer.Option("--per-task", help="Accuracies of each task too.")] = False,
    against: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="Differences from this method too.", show_default=False),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(metavar="BENCHMARK", help="What the papers report on this.", show_default="the same"),
    ] = None,
    without: Without = None,
    format: Annotated[str, typer.Option(help=f"{', '.join(FORMATS)}.", autocompletion=one_of(*FORMATS))] = "text",
    write: Written = None,
    as_json: JsonFlag = False,
) -> None:
    """Show finished runs of an experiment as tables.

    Runs that are missing or unfinished are listed; the others are shown.

    Examples:
      munet experiment table mccb-local
      munet experiment table mccb-local --per-task --against finetune-full --published mccb
      munet experiment table mccb-local --write results.md --write results.tex
    """
    refuse_unknown("--format", format, tuple(FORMATS))
    for file in write or ():
        check_target(file, [suffix for suffix in FORMATS.values() if suffix])
    from munet.experiments.results.read import find
    from munet.experiments.results.tables import omniglots, published_table

    chosen = only_benchmark(out) if benchmark is None else benchmark
    budget = budget or usual_budget(out, chosen)
    rows = _published(published, chosen)
    wanted = [*method, against] if method and against else method
    found = find(out, chosen, budget, wanted, seeds)
    runs = finished(found, f"{chosen} at budget {budget} in {out}")
    tell_left_out(found)
    left = omniglots(runs) if without is None else known_tasks(without, runs)
    if against is not None and against not in runs:
        begun = any(against == place.method for place in found.unfinished)
        raise InputError(f"--against {against}{'' if begun else suggest(against, runs)}: no run of it is finished")
    tables = _tables(runs, per_task, against, left, f"{chosen}, budget {budget}")
    tables += [published_table(runs, rows)] if rows else []
    for file in write or ():
        _write_tables(file, tables)
    if as_json:
        _print_json(chosen, budget, tables, found)
        return
    _print_tables(tables, format)


def _tables(runs: "Runs", per_task: bool, against: str | None, without: list[str], title: str) -> list["Table"]:
    from dataclasses import replace

    from munet.experiments.results.tables import differences_table, methods_table, tasks_table

    made = [methods_table(runs, without)]
    if per_task:
        made += [tasks_table(runs, "test", without), tasks_table(runs, "validation", without)]
    if against is not None:
        made.append(differences_table(runs, against, without))
    return [replace(one, title=f"{title}: {one.title[:1].lower()}{one.title[1:]}") for one in made]


def _published(asked: str | None, benchmark: str) -> "tuple[Published, ...]":
    """What the papers report; nothing for most benchmarks. InputError for one that was asked for and has nothing."""
    from munet.catalog import published

    rows = published(asked or benchmark)
    if asked and not rows:
        known = list(dict.fromkeys(row.benchmark for row in published()))
        raise InputError(f"--published {asked}{suggest(asked, known)}: the papers report on {', '.join(known)}")
    return rows


def _print_tables(tables: list["Table"], format: str) -> None:
    if format == "text":
        from munet.tables.terminal import terminal

        for place, one in enumerate(tables):
            show(*([""] if place else []), terminal(one, console().width))
        return
    from munet.tables.render import WRITERS

    typer.echo(WRITERS[format](tables), nl=False)


def _print_json(benchmark: str, budget: str, tables: list["Table"], found: "Found") -> None:
    from munet.tables.render import plain

    def places(of: "tuple[Place, ...]") -> list[dict[str, Any]]:
        return [{"method": place.method, "seed": place.seed} for place in of]

    show_json(
        {
            "benchmark": benchmark,
            "budget": budget,
            "tables": [plain(one) for one in tables],
            "unfinished": places(found.unfinished),
            "missing": places(found.missing),
            "damaged": list(found.damaged),
        }
    )


def _write_tables(file: Path, tables: list["Table"]) -> None:
    """One file; of CSV, which has no way to hold several tables, one for each: x.csv, x-test.csv, ..."""
    from munet.fs.atomic import write_atomic
    from munet.tables.render import WRITERS

    format = next(name for name, suffix in FORMATS.items() if suffix == file.suffix.lower())
    parts = {file: tables}
    if format == "csv":
        first, *others = tables
        parts = {file: [first]} | {file.with_stem(f"{file.stem}-{one.key}"): [one] for one in others}
    for path, held in parts.items():
        write_atomic(path, WRITERS[format](held).encode())
        tell(f"wrote {path}")


def plot(
    benchmark: Benchmark = None,
    out: Out = DEFAULT_OUT,
    kind: Annotated[
        str,
        typer.Option(help="pareto-size, pareto-compute, samples, growth, learning.", autocompletion=one_of(*KINDS)),
    ] = "pareto-size",
    budget: Annotated[
        list[str] | None,
        typer.Option(
            help="Budget of the runs; several for samples.", show_default="mini or the only one; all for samples"
        ),
    ] = None,
    method: Methods = None,
    seeds: Seeds = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="TASK", help="Leave this task out; repeatable.", show_default=False)
    ] = None,
    trails: Annotated[bool, typer.Option("--trails", help="With samples: also the way of each run.")] = False,
    against: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="With samples: say where others cross it.", show_default=False),
    ] = None,
    write: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="The picture: .png, .svg or .pdf; repeatable.", show_default="BENCHMARK-KIND.png"
        ),
    ] = None,
) -> None:
    """Draw finished runs of an experiment.

    pareto-size and pareto-compute: test accuracy over parameters or FLOPs of a task.
    samples: test accuracy over training samples and over FLOPs spent, all budgets together.
    growth: accuracy, parameters and FLOPs of a growing system over its task iterations.
    learning: validation accuracy of each task along the lineage of its model, and the gap to the test split.

    Examples:
      munet experiment plot mccb-local --write pareto.pdf
      munet experiment plot mccb-local --kind samples --against finetune-full
    """
    chosen = _check_plot(benchmark, out, kind, budget, without or [], trails, against)
    targets = write or [Path(f"{chosen}-{kind}.png")]
    for file in targets:
        check_target(file, PICTURES)
    from munet.experiments.results.plots import save

    figure = _draw(chosen, out, kind, budget, method, seeds, without or [], trails, against)
    for file in targets:
        save(figure, file)
        tell(f"wrote {file}")


PICTURES = (".png", ".svg", ".pdf")


def _draw(
    benchmark: str,
    out: Path,
    kind: str,
    budget: list[str] | None,
    method: list[str] | None,
    seeds: int | None,
    without: list[str],
    trails: bool,
    against: str | None,
) -> "Figure":
    from munet.experiments.results import plots
    from munet.experiments.results import read as results

    names = budget or (results.budgets(out, benchmark) if kind == "samples" else [usual_budget(out, benchmark)])
    wanted = [*method, against] if method and against else method
    found = {name: results.find(out, benchmark, name, wanted, seeds) for name in names}
    where = f"{benchmark} at budget {', '.join(names)} in {out}"
    runs = finished(next((one for one in found.values() if one.results), found[names[0]]), where)
    for one in found.values():
        tell_left_out(one)
    known_tasks(without, runs)
    budgets = {name: one.runs for name, one in found.items() if one.results}
    budgets = dict(sorted(budgets.items(), key=lambda item: max(r.samples for held in item[1].values() for r in held)))
    title = f"{benchmark}, budget {', '.join(budgets)}"
    if kind == "samples":
        _tell_meetings(budgets, against, without)
        return plots.spending_figure(budgets, title, without=without, trails=trails)
    if kind == "growth":
        return plots.growth_figure(runs, title)
    if kind == "learning":
        tasks = [task for task in results.tasks_of(runs) if task not in without]
        return plots.learning_figure(_systems(out / benchmark / names[0], runs), title, tasks)
    return plots.pareto_figure(runs, title, compute=kind == "pareto-compute", without=without)


def _systems(folder: Path, runs: "Runs") -> dict[str, list[Path]]:
    """The systems that finished runs left. InputError where all were removed."""
    every = {method: [folder / method / str(one.seed) / "system" for one in held] for method, held in runs.items()}
    found = {method: [path for path in paths if path.is_dir()] for method, paths in every.items()}
    if not any(found.values()):
        raise InputError(f"--kind learning reads the systems of runs, and those in {folder} were removed")
    return {method: paths for method, paths in found.items() if paths}


def _tell_meetings(budgets: "Mapping[str, Runs]", against: str | None, without: list[str]) -> None:
    from munet.experiments.results.curves import meetings, spending

    known = list(dict.fromkeys(method for runs in budgets.values() for method in runs))
    if against is None:
        return
    if against not in known:
        raise InputError(f"--against {against}{suggest(against, known)}: no run of it is finished")
    by_samples = meetings(spending(budgets, "samples", without), against, "training samples per task")
    by_flops = meetings(spending(budgets, "flops", without), against, "TFLOPs spent per task", 1e12)
    for text in [*by_samples, *by_flops]:
        typer.echo(text)


def _check_plot(
    benchmark: str | None,
    out: Path,
    kind: str,
    budget: list[str] | None,
    without: list[str],
    trails: bool,
    against: str | None,
) -> str:
    """The benchmark to draw. InputError for options that do not go together."""
    refuse_unknown("--kind", kind, tuple(KINDS))
    if kind != "samples" and len(budget or ()) > 1:
        raise InputError(f"--budget is given {len(budget or ())} times: only --kind samples draws several budgets")
    for option, given in (("--trails", trails), ("--against", against)):
        if given and kind != "samples":
            raise InputError(f"{option} goes with --kind samples, not with {kind}")
    if without and (trails or kind == "growth"):
        what = "--trails" if trails else "--kind growth"
        raise InputError(f"--without cannot be used with {what}: a run keeps only means over all tasks on its way")
    return only_benchmark(out) if benchmark is None else benchmark
