"""watch: the report of a system, live in the browser while it evolves."""

import atexit
import itertools
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from munet.cli import INTERRUPTED
from munet.cli.common import SystemPath, console, importing_a_server, open_system, show, tell
from munet.errors import MunetError
from munet.store.run_records import is_going_on
from munet.text import clean

if TYPE_CHECKING:
    from munet.cli.evolve.replay import Generations
    from munet.report.watch import Server
    from munet.store import Store

_TURNS = 10  # naps between two looks at what evolves
PORT = 8467  # of munet.report.watch, which is imported late


def register(app: typer.Typer) -> None:
    app.command("watch")(watch)


def watch(
    system: SystemPath,
    host: Annotated[str, typer.Option(help="Address to listen on. Other machines need the token.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help=f"{PORT}, or a free one, unless given.", show_default=False)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="Ask for this token, at least 8 characters; made up where one is needed.",
            envvar="MUNET_WATCH_TOKEN",
            show_default=False,
        ),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Show the report of a system in the browser, live.

    Evolve the system in another terminal: children appear as they finish. Reads only; Ctrl-C ends it.

    Example:
      munet watch fleet
    """
    opened = open_system(system)
    progress = _Progress(opened.store)
    server = _server(opened.path, progress, host, port, token)
    server.start()
    if not server.access.loopback:
        tell("the connection is not encrypted; `ssh -L` to a server on 127.0.0.1 is (docs/watch.md)")
    show(f"Watching {clean(system)} at {server.full_url} (Ctrl-C ends it)")
    if not no_open and has_display(os.environ, sys.platform):
        _open_browser(server.full_url)
    _tell(progress)


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a browser that is opened here would be seen by whoever gave the command, and not take its terminal."""
    if "SSH_CONNECTION" in environment:
        return False
    return platform in ("darwin", "win32") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _server(path: Path, progress: "_Progress", host: str, port: int | None, token: str | None) -> "Server":
    with importing_a_server():
        from munet.report.watch import bind

    def make_payload() -> dict[str, Any]:
        from munet.report.images.measuring import seen
        from munet.report.page import payload

        read = open_system(path).history()
        return payload(read, seen=seen(None, read.one().records))  # measuring would take what evolution needs

    def make_page(made: dict[str, Any]) -> str:
        from munet.report.page import build_page

        return build_page(made, live=True)

    options = {"host": host, "port": port, "token": token}
    return bind(path, make_payload, make_page, tell_progress=lambda: progress.told()[0], **options)


def _open_browser(url: str) -> None:
    import webbrowser

    # Some browsers keep the call until they are closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _tell(progress: "_Progress") -> NoReturn:
    """Say on one line what evolves, which task, how far and how long; without a terminal, a line for each change."""
    out = console()
    live, said = out.is_terminal and not out.is_dumb_terminal, list[str]()
    try:
        for turn in itertools.count():
            if turn % _TURNS == 0:
                text, places = progress.told()
                if live:
                    out.file.write(f"\r\x1b[K{text[: out.width - 1]}")
                elif text and places != said:
                    out.file.write(f"{text}\n")
                    said = places
                out.file.flush()
            # short naps: the signal of Ctrl-C may reach another thread, and then does not wake this one
            time.sleep(0.2)
    except KeyboardInterrupt:
        if live:
            out.file.write("\n")
        # Nothing is left to be written, and taking a large history apart would take seconds.
        atexit.register(os._exit, INTERRUPTED)
        raise
    raise AssertionError("it is only ended by Ctrl-C")


class _Progress:
    """What is said of the runs that go on, to the terminal and to the page; found out anew in at most a quarter of a
    core, which the evolution needs."""

    def __init__(self, store: "Store") -> None:
        self._store, self._alone = store, threading.Lock()
        self._read: Generations | None = None
        self._said: tuple[str, list[str]] = "", []
        self._due = 0.0

    def told(self) -> tuple[str, list[str]]:
        """A line, and where each run is."""
        with self._alone:
            if time.monotonic() >= self._due:
                began = time.thread_time()
                self._said = self._told()
                self._due = time.monotonic() + 3 * (time.thread_time() - began)
            return self._said

    def _told(self) -> tuple[str, list[str]]:
        from munet.cli.evolve.replay import Generations, place, replayed, told

        self._read = self._read or Generations(self._store)
        lines, places = list[str](), list[str]()
        with suppress(MunetError, OSError):  # the page says what is wrong, and a file may just be replaced
            for run in self._store.unfinished_runs():
                if is_going_on(self._store, run):
                    state = replayed(self._store, run, self._read)
                    state.now = time.time()
                    lines.append(told(state))
                    places.append(place(state))
        return " | ".join(lines), places
