"""resume: going on with an interrupted run from its record, whoever began it."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from munet.cli.common import JsonFlag, SystemPath, TrustSources, one_of, open_system
from munet.cli.evolve.command import Log, compared, watching
from munet.evolution.executors.worker_plan import EXECUTORS
from munet.evolution.options import Where
from munet.store.run_records import read_config


def register(app: typer.Typer) -> None:
    app.command("resume")(resume)


def resume(
    system: SystemPath,
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Where there are several.", show_default=False)
    ] = None,
    trust_sources: TrustSources = False,
    device: Annotated[str | None, typer.Option(help="As it was, unless given.", show_default=False)] = None,
    executor: Annotated[
        str | None, typer.Option(help="As it was, unless given.", autocompletion=one_of(*EXECUTORS), show_default=False)
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="As they were, unless given.", show_default=False)] = None,
    log: Log = None,
    as_json: JsonFlag = False,
) -> None:
    """Go on with an interrupted run, as its record says that it was asked.

    `munet status` shows which run that is, and who began it.

    Example:
      munet resume fleet
    """
    opened = open_system(system)
    from munet.evolution.runs import choose_unfinished, recorded_where

    name = choose_unfinished(opened.store, run)
    tasks = read_config(opened.store, name)["request"]["tasks"]
    if trust_sources:
        opened.trust_sources(tasks)
    given: dict[str, Any] = {"device": device, "executor": executor, "workers": workers}
    changed = {key: value for key, value in given.items() if value is not None}
    where = replace(Where(**recorded_where(opened.store, name)), **changed)
    with compared(opened, tasks, as_json) as rows, watching(rows, as_json, log) as watch:
        from munet import resume as go_on  # torch loads while the view is up already

        go_on(opened, name, where=where, observer=watch)
