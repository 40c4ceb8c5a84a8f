"""What several commands need: opening a system, printing, options, completion. Imports nothing heavy."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.defaults import with_defaults
from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from munet.system import System

PIPE_WIDTH = 120  # columns where no terminal says how many it has


def complete_task(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the tasks of the system that the command line names already."""
    system = ctx.params.get("system")
    if not system:
        return []
    from munet.fs.tree import Tree

    # The names of the files are enough, and nothing needs to be opened.
    with suppress(OSError):
        names = Tree(Path(system)).names(Path(system) / "tasks")
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and name.startswith(incomplete)]
    return []


def one_of(*values: str) -> Callable[[str], list[str]]:
    """Completes to one of these."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def complete_benchmark(incomplete: str) -> list[str]:
    """Benchmarks of the catalog that start so."""
    from munet.catalog import benchmark_names

    return sorted(name for name in benchmark_names() if name.startswith(incomplete))


def refuse_unknown(option: str, value: str, known: Sequence[str]) -> None:
    """InputError unless the value of an option is one of `known`."""
    if value not in known:
        raise InputError(f"{option} {value}{suggest(value, known)}: choose one of {', '.join(known)}")


@contextmanager
def importing_a_server() -> Iterator[None]:
    """Around the import of a server: InputError that names the extra where its packages are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("starlette", "uvicorn", "anyio", "h11", "prometheus_client"):
            raise
        text = f"serving needs the package {package}: `pip install 'munet-ml[serve]'`"
        raise InputError(text, kind="missing-extra") from error


SystemPath = Annotated[
    Path,
    typer.Argument(
        metavar="SYSTEM", help="Directory of the system.", show_default=False, is_eager=True, callback=with_defaults
    ),
]
ImageSets = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of local image sets.", envvar="MUNET_DATA", show_default=False),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
TrustSources = Annotated[
    bool, typer.Option("--trust-sources", help="Open images of tasks that were not added on this machine.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Word = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A task, 'root', or the start of a model id.", autocompletion=complete_task),
]


def open_system(path: Path) -> "System":
    """The system at `path`. StoreError: no system there, newer format, not readable."""
    from munet.system import System

    return System.open(path)


def console(*, stderr: bool = False) -> "Console":
    """A console with calm bars, that never guesses markup or colours in names or squeezes tables into a pipe."""
    from rich.console import Console
    from rich.theme import Theme

    calm = Theme({"bar.complete": "cyan", "bar.finished": "green", "bar.pulse": "cyan"})
    plain: dict[str, Any] = {"stderr": stderr, "markup": False, "highlight": False, "emoji": False, "theme": calm}
    made = Console(**plain)
    return Console(**plain, width=PIPE_WIDTH) if not made.is_terminal and "COLUMNS" not in os.environ else made


def show(*renderables: "RenderableType") -> None:
    """Prints to standard output."""
    out = console()
    for renderable in renderables:
        out.print(renderable, soft_wrap=isinstance(renderable, str))


def tell(text: str) -> None:
    """Say on standard error what a person should know and no program needs."""
    typer.echo(f"note: {text}", err=True)


def show_json(value: Any) -> None:
    from munet.cli.text.formatting import json_text

    sys.stdout.write(json_text(value) + "\n")
    sys.stdout.flush()


def parse_settings(words: list[str]) -> dict[str, str]:
    """`["name=value", ...]` of the repeatable option `--set`. InputError: no `=`, or a name given twice."""
    settings: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.strip()
        if not equals or not name:
            raise InputError(f"--set {word}: write it as name=value, for instance --set momentum=0.9")
        if name in settings:
            raise InputError(f"--set {name} is given twice, as {settings[name]} and {value.strip()}: leave one out")
        settings[name] = value.strip()
    return settings
