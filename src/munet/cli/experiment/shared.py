"""What experiment table and experiment plot have in common: options, the choice of runs, notes about the others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import tell
from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from munet.experiments.results.read import Found, Place, Runs

DEFAULT_OUT = Path("experiments")


def complete_folder(ctx: typer.Context, incomplete: str) -> list[str]:
    """Folders of the experiment that the command line names already."""
    out = Path(ctx.params.get("out") or DEFAULT_OUT)
    return sorted(f.name for f in out.glob("*") if f.is_dir() and f.name.startswith(incomplete))


Benchmark = Annotated[
    str | None,
    typer.Argument(
        metavar="BENCHMARK",
        help="May be left out where there is only one.",
        autocompletion=complete_folder,
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where `munet experiment run` put its runs.")]
Methods = Annotated[
    list[str] | None,
    typer.Option("--method", metavar="METHOD", help="Only this one; repeatable, in this order.", show_default=False),
]
Seeds = Annotated[int | None, typer.Option(min=1, help="Only seeds 0 to N-1.", metavar="N", show_default=False)]


def only_benchmark(out: Path) -> str:
    from munet.experiments.results.read import benchmarks

    there = benchmarks(out)
    if len(there) != 1:
        known = f"there are {', '.join(there)}" if there else "none has been run there"
        raise InputError(f"name a benchmark of {out}: {known}")
    return there[0]


def usual_budget(out: Path, benchmark: str) -> str:
    from munet.experiments.results.read import budgets

    there = budgets(out, benchmark)
    return there[0] if len(there) == 1 else "mini"


def check_target(file: Path, suffixes: "list[str] | tuple[str, ...]") -> None:
    if file.suffix.lower() not in suffixes:
        raise InputError(f"--write {file}: the name should end in {', '.join(suffixes)}")
    if not file.parent.is_dir():
        raise InputError(f"--write {file}: there is no folder {file.parent}; make it first")


def finished(found: "Found", what: str) -> "Runs":
    """Runs by method. InputError, naming what is there, where none is finished."""
    if found.results:
        return found.runs
    raise InputError("; ".join([f"no finished run of {what}", *_left_out(found)]))


def _left_out(found: "Found") -> list[str]:
    """One text for each kind of runs that cannot be shown."""
    kinds = (("not finished", found.unfinished), ("not run yet", found.missing))
    texts = [f"{what}: {_grouped(places)}" for what, places in kinds if places]
    return [*texts, *(f"left out: {line}" for line in found.damaged)]


def tell_left_out(found: "Found") -> None:
    for text in _left_out(found):
        tell(text)


def _grouped(places: "tuple[Place, ...]") -> str:
    """`mini munet (seeds 1, 2), mini adapters:512 (no seed)`"""
    seeds: dict[str, list[str]] = {}
    for place in places:
        seeds.setdefault(f"{place.budget} {place.method}", [])
        if place.seed is not None:
            seeds[f"{place.budget} {place.method}"].append(str(place.seed))
    return ", ".join(
        f"{name} (seed{'s' if len(each) > 1 else ''} {', '.join(each)})" if each else name
        for name, each in seeds.items()
    )


def known_tasks(without: list[str], runs: "Runs") -> list[str]:
    from munet.experiments.results.read import tasks_of

    known = tasks_of(runs)
    for task in without:
        if task not in known:
            raise InputError(f"--without {task}{suggest(task, known)}: no run has this task; it has {', '.join(known)}")
    return without
