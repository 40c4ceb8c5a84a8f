"""catalog: the benchmarks of the papers, and local ones."""

from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, complete_benchmark, console, show, show_json


def register(app: typer.Typer) -> None:
    app.command("catalog")(catalog)


def catalog(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A benchmark. All are listed without one.",
            show_default=False,
            autocompletion=complete_benchmark,
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only tasks whose name or address holds WORD.")
    ] = None,
    task_set: Annotated[
        str | None, typer.Option("--set", metavar="a|b", help="Only tasks of this set of the mu2Net+ paper.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the benchmarks of the papers and local ones, and where their images are had.

    One task is shown with the source of every value. `munet add SYSTEM --catalog NAME` adds a benchmark's tasks.

    Examples:
      munet catalog
      munet catalog mccb
      munet catalog --set b --task imagenet
      munet catalog --task omniglot-paper
    """
    from munet.catalog import benchmark_names, benchmarks_of, find_tasks, load_benchmark
    from munet.errors import InputError, suggest

    if name is None and task is None and task_set is None:
        _benchmarks([load_benchmark(one) for one in benchmark_names()], as_json)
        return
    found = find_tasks(task or "", benchmark=name, task_set=task_set)
    exact = [one for one in found if task in (one.name, one.title)]
    found = exact or found
    if not found:
        names = [one.name for one in find_tasks(benchmark=name, task_set=task_set)]
        where = name or "the catalog"
        raise InputError(f"--task {task}: no task of {where} is called so{suggest(task or '', names)}")
    from munet.cli.catalog.view import benchmark_row, benchmark_view, task_row, task_view, tasks_view

    width = console().width
    if as_json:
        rows: Any = [task_row(one) for one in found]
        show_json(benchmark_row(load_benchmark(name)) | {"tasks": rows} if name else rows)
    elif task and len(found) == 1:
        show(task_view(found[0], benchmarks_of(found[0]), width))
    elif name:
        show(benchmark_view(load_benchmark(name), found, width))
    else:
        show(tasks_view(found, width))


def _benchmarks(found: list[Any], as_json: bool) -> None:
    from munet.cli.catalog.view import benchmark_row, benchmarks_view

    if as_json:
        show_json([benchmark_row(one) for one in found])
    else:
        show(benchmarks_view(found, console().width))
