"""The command line. One file for each group of commands; nothing here imports torch, numpy or datasets.

    system.py     init, add, status
    evolve.py     evolve, methods
    inspect.py    log, show, diff
    report.py     report: a system as a page; plot.py its figures and animation; watch.py the page, live
    use.py        evaluate, predict, export
    experiment.py experiment run, table, plot
    catalog.py    catalog
    importing.py  import
    allocation.py allocation train, evaluate, plot, table, export
    maintain.py   fsck, gc
    quickstart.py quickstart
    live.py       the state of a running evolution; screen.py draws it, observers.py feeds it
    tables.py     what the read commands show; methods.py for methods
    formatting.py numbers, ids and mutations as text
    common.py     opening systems, printing, shared options

A group is a module with `register(app)`; to add one, name it in `GROUPS`.
"""

import errno
import os
import shlex
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from munet.errors import MunetError

if TYPE_CHECKING:
    import typer

GROUPS = (
    *("quickstart", "system", "evolve.command", "inspect", "report", "plot", "watch", "use"),
    *("experiment.run", "catalog.list", "importing", "allocation.train", "maintain"),
)
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def build() -> "typer.Typer":
    """The application with all its groups."""
    from importlib import import_module
    from typing import Annotated

    import typer

    app = typer.Typer(
        name="munet",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def about(
        version: Annotated[
            bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
        ] = False,
    ) -> None:
        """One multitask vision system that many people grow together.

        Example:
          munet init fleet && munet add fleet mnist npz:data/mnist && munet evolve fleet
        """

    for group in GROUPS:
        import_module(f"munet.cli.{group}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        import typer

        from munet import __version__

        typer.echo(f"munet {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line. Errors for users are one line; MUNET_TRACEBACK=1 shows where they come from."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show must not stop a run
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        build()(args=words, prog_name="munet")
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _tell(f"munet: interrupted; the same command goes on: {shlex.join(['munet', *words])}")
        raise
    except KeyboardInterrupt:
        _tell(f"munet: interrupted; the same command goes on: {shlex.join(['munet', *words])}")
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get("MUNET_TRACEBACK"):
            raise
        message, code = explained(error)
        _tell(f"munet: error: {message}")
        sys.exit(code)
    sys.exit(0)


def explained(error: Exception) -> tuple[str, int]:
    """(one line for the user, exit code)."""
    if isinstance(error, MunetError):
        return str(error), error.exit_code
    if isinstance(error, OSError) and error.strerror:
        return _os_error(error), MunetError.exit_code
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "out of memory: a smaller --batch-size or --image-size needs less", MunetError.exit_code
    told = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"internal error, {told}; MUNET_TRACEBACK=1 shows where it happened", 1


def _os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    ways = {
        errno.ENOSPC: "free some space and give the same command again",
        errno.EDQUOT: "your quota is used up; free some space and give the same command again",
        errno.EACCES: "change its mode or choose another place",
        errno.EROFS: "choose a place that can be written",
    }
    way = ways.get(error.errno or 0)
    told = (error.strerror or str(error)).lower()
    return f"{where}{told}{f'; {way}' if way else ''}"


def _tell(text: str) -> None:
    from munet.text import clean

    sys.stdout.flush()
    sys.stderr.write(" ".join(clean(part) for part in text.splitlines()) + "\n")
