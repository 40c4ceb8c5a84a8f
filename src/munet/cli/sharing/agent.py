"""agent: pull, evolve, push, until stopped."""

import time
from typing import Annotated, Any

import typer

from munet.cli.common import SystemPath, complete_task, open_system, show, tell
from munet.cli.evolve.agreement import parse_time
from munet.cli.evolve.command import complete_method
from munet.cli.sharing.exchange import Sign
from munet.evolution.options import METHOD
from munet.text import clean


def register(app: typer.Typer) -> None:
    app.command("agent")(agent)


def agent(
    system: SystemPath,
    tasks: Annotated[
        list[str], typer.Argument(metavar="TASKS", help="The tasks that it evolves.", autocompletion=complete_task)
    ],
    remote: Annotated[str, typer.Option(metavar="NAME", help="Which remote.")] = "origin",
    every: Annotated[
        str, typer.Option(metavar="10m", help="From the beginning of a round to that of the next.")
    ] = "10m",
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after so many.", show_default=False)] = None,
    method: Annotated[str, typer.Option(help="As for munet evolve.", autocompletion=complete_method)] = METHOD,
    spend: Annotated[
        str | None, typer.Option("--time", metavar="10m", help="What a round may train; as for munet evolve.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another for each agent, or two do the same work.")] = 0,
    sign: Sign = None,
) -> None:
    """Pull, evolve some tasks, push; again and again, until stopped.

    Interrupt it whenever you like: the same command goes on, with a run that was cut off first.

    Example:
      munet agent fleet flowers signs --every 10m
    """
    from munet.cli.evolve.observers import plain_lines
    from munet.cli.sharing.outcomes import sentence
    from munet.evolution.options import Budget
    from munet.sharing.agent import agent as run

    opened, pause = open_system(system), parse_time(every, "--every")
    budget = Budget(time=parse_time(spend)) if spend is not None else Budget()
    began = time.monotonic()

    def evolve() -> Any:
        nonlocal began
        began = time.monotonic()
        with plain_lines(opened.status()["tasks"]) as watch:
            opened.evolve(tasks, method, budget=budget, seed=seed, observer=watch)

    run(
        opened,
        tasks,
        evolve,
        lambda: time.sleep(max(0.0, began + pause - time.monotonic())),
        remote=remote,
        sign=sign,
        rounds=rounds,
        told=lambda outcome: show(sentence(outcome)),
        note=lambda text: tell(clean(text)),
    )
