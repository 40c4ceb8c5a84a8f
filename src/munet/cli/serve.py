"""serve: all tasks of a system answer over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import Device, SystemPath, importing_a_server, open_system, show, tell
from munet.errors import InputError
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.serving.following import Following
    from munet.sharing.exchange import Outcome

PORT = 8000  # of munet.serving.server, which is imported late


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    system: SystemPath,
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK]...", help="Tasks to answer for; all unless given.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on. Other machines need the token.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help=f"{PORT}, or a free one, unless given.", show_default=False)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="Ask for this token, at least 8 characters; made up where one is needed.",
            envvar="MUNET_SERVE_TOKEN",
            show_default=False,
        ),
    ] = None,
    device: Device = "auto",
    exact: Annotated[bool, typer.Option("--exact", help="Answer with the bits of `munet predict` (on a CPU).")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Images computed at once, at most.")] = 64,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait; one more is told to come back.")] = 512,
    remote: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Pull from there while it runs; SYSTEM is cloned from it first where there is none. Or its name.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[str, typer.Option(metavar="30s", help="With --remote: from one pull to the next.")] = "30s",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that a request may take.")] = 30.0,
    max_bytes: Annotated[int, typer.Option(min=1, help="Bytes of a request, at most.")] = 32 << 20,
) -> None:
    """Answer for all tasks of a system over HTTP, with a page to try it.

    Rows of many tasks are computed in one batch, shared layers once. Models that are retained while it runs are taken
    up without a restart. Ctrl-C ends it.

    Example:
      munet serve fleet
      curl --data-binary @photo.jpg localhost:8000/models/flowers
      curl --data-binary @photo.jpg 'localhost:8000/models?tasks=*'
      munet serve fleet --remote s3://bucket/fleet
    """
    with importing_a_server():
        from munet.serving.server import bind
    from munet.serving.limits import Limits

    following = _following(system, remote, tasks or None, every) if remote else None
    opened = open_system(system)
    limits = Limits(body=max_bytes, queue=queue, seconds=timeout, rows=rows)
    options = {"host": host, "port": port, "token": token, "device": device, "exact": exact, "following": following}
    server = bind(opened.models, tasks or None, limits=limits, report=lambda: _report(opened.path), **options)
    if not server.access.loopback:
        tell("the connection is not encrypted: put a proxy with TLS before it (docs/serving.md)")
    loaded = server.service.served.now.loaded
    if not loaded:
        tell("no task has a model yet: `munet evolve` makes one, and it is served as soon as it is there")
    what = f"{counted(len(loaded), 'task')} of {clean(system)}"
    show(f"Serving {what} at {server.url} (Ctrl-C ends it)")
    server.run()


def _following(path: Path, remote: str, tasks: list[str] | None, every: str) -> "Following":
    """The system at a path, made or brought up to date, and what does so again and again."""
    from munet.cli.evolve.agreement import parse_time
    from munet.cli.sharing.outcomes import sentence
    from munet.serving.following import Following
    from munet.sharing.cloning import followed
    from munet.sharing.remotes import remote as known

    seconds = parse_time(every, "--every")
    if seconds < 1:
        raise InputError(f"--every {every}: give at least a second")

    def told(outcome: "Outcome") -> None:
        if outcome.refused is None and outcome.what != "same":
            show(sentence(outcome))

    name = followed(remote, path, tasks, told)
    opened = open_system(path)
    pull = lambda: opened.pull(tasks, remote=name, told=told)  # noqa: E731
    made = Following(clean(known(opened.store, name)["url"]), pull, seconds, lambda text: tell(clean(text)))
    made.once()
    return made


def _report(path: Path) -> str:
    """The page of `munet report` for the system as it is now."""
    from munet.report.page import build_page, payload

    return build_page(payload(open_system(path).history()))
