"""The command line. One file or folder for each group of commands; nothing here imports torch, numpy or datasets.

    system.py     init, status
    add.py        add; many.py its --all and --list
    task.py       task show, move, rename, remove; update.py update
    evolve/       evolve, methods, resume: the commands, the live view
    inspect.py    log, show, diff; card.py card
    report.py     report: a system as a page; plot.py its figures and animation; watch.py the page, live
    use.py        evaluate, export; predict.py predict; serve.py serve
    experiment/   experiment run, continual, table, plot
    catalog/      catalog, and `add --catalog`
    sharing/      remote, clone, push, pull, fetch, merge, agent
    importing.py  import, attach
    allocation/   allocation train, evaluate, plot, table, export
    maintain.py   fsck, gc
    quickstart.py quickstart
    text/         numbers, ids and mutations as text; what the read commands show; progress
    common.py     opening systems, printing, shared options
    defaults.py   munet.toml: options that a person always gives
    errors.py     how errors are shown; terminated.py SIGTERM; other_names.py what others call commands and options

A group is a module with `register(app)`; to add one, name it in `GROUPS`.
"""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from munet.cli.errors import INTERRUPTED, end, explained, interrupted, traceback_wanted, wants_json
from munet.cli.terminated import TERMINATED, terminated

if TYPE_CHECKING:
    import typer

GROUPS = (
    *("quickstart", "system", "add", "task", "update", "evolve.command", "evolve.resume", "inspect", "card", "report"),
    *("plot", "watch", "use", "predict", "serve", "experiment.run", "catalog.list", "importing", "allocation.train"),
    *("maintain", "sharing.remote", "sharing.exchange", "sharing.agent"),
)


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

        from munet.provenance import VERSION

        typer.echo(f"munet {VERSION}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line. Errors for users are one line; MUNET_TRACEBACK=1 shows where they come from."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show must not stop a run
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = wants_json(words)
    try:
        # With `standalone_mode` typer itself would tell of words that are no command, in a frame.
        with terminated():
            code = build()(args=words, prog_name="munet", standalone_mode=False)
    except SystemExit as ended:
        if ended.code in (INTERRUPTED, TERMINATED):
            interrupted(words, ended.code).tell(as_json=as_json)
        raise
    except KeyboardInterrupt:
        end(interrupted(words), as_json=as_json)
    except Exception as error:
        if traceback_wanted():
            raise
        end(explained(error), as_json=as_json)
    if code == INTERRUPTED:
        end(interrupted(words), as_json=as_json)
    sys.exit(code or 0)
