"""`munet watch` and `munet report --serve` as a person gives them: one line when they start, when they end, when they
cannot."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from cli_tools import SOURCES, munet
from munet import System
from munet.cli.watch import PORT, has_display
from munet.report import watch


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system without tasks."""
    made = System.create(
        tmp_path_factory.mktemp("watch") / "fleet", "random:vit_tiny_patch16_224", depth=1, image_size=32
    )
    return made.path


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def watching(*words: str | Path):
    return serving("watch", *words, "--no-open")


@contextmanager
def serving(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(the process, the line that it said)"""
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "MUNET_WATCH_TOKEN": "", "MUNET_REPORT_TOKEN": ""}
    command = [sys.executable, "-c", "from munet.cli import main; main()", *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # What runs in the background of a shell inherits that Ctrl-C is ignored; a person's terminal does not.
    process = subprocess.Popen(command, env=env, **pipes, text=True, preexec_fn=_heed_interrupts)  # pyright: ignore[reportArgumentType, reportCallIssue]
    try:
        assert process.stdout
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_it_says_where_it_is_and_ends_at_once(system: Path):
    with watching(system, "--port", "0") as (process, line):
        assert line.startswith(f"Watching {system} at http://127.0.0.1:")
        assert line.endswith("/ (Ctrl-C ends it)\n")
        url = line.split(" at ")[1].split()[0]
        with urlopen(f"{url}state", timeout=60) as answer:
            assert json.load(answer)["activity"] == "empty"
        with urlopen(f"{url}events", timeout=60) as events:
            assert events.readline() == b"retry: 1000\n"
            before = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
            took = time.monotonic() - before
    assert process.returncode == 130
    assert said == f"munet: interrupted; the same command goes on: munet watch {system} --port 0 --no-open\n"
    assert took < 5, "on a busy machine; a second elsewhere"


def test_a_page_of_an_empty_system(system: Path):
    with watching(system, "--port", "0") as (_, line), urlopen(line.split(" at ")[1].split()[0], timeout=60) as answer:
        page = answer.read().decode()
    assert "Nothing to show yet" not in page
    assert "EventSource" in page


def test_other_machines_need_the_token(system: Path):
    with watching(system, "--host", "0.0.0.0", "--port", "0", "--token", "a-long-token") as (process, line):
        assert "/?token=a-long-token (Ctrl-C ends it)" in line
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert said.startswith("note: the connection is not encrypted")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "no such host"], "--host no such host: no such address"),
        (["--token", "short"], "--token: use 8 to 200 letters"),
        (["--port", "70000"], "65535"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(system: Path, words: list[str], message: str):
    found = munet("watch", str(system), "--no-open", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert message in found.stderr
    assert "Traceback" not in found.stderr


def test_a_taken_port_is_said_in_one_line(system: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = munet("watch", str(system), "--no-open", "--port", str(port))
    assert found.returncode == 2
    assert found.stderr == (
        f"munet: error: --port {port} is taken: choose another one, or leave --port out to get a free one\n"
    )


def test_what_is_no_system_is_said_in_one_line(tmp_path: Path):
    found = munet("watch", str(tmp_path / "none"), "--no-open")
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "is no munet system" in found.stderr


def test_the_port_in_the_help_is_the_port():
    assert PORT == watch.PORT


def test_a_browser_is_opened_only_where_it_is_seen():
    assert has_display({"DISPLAY": ":0"}, "linux")
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert not has_display({}, "linux")
    assert not has_display({"DISPLAY": ""}, "linux")
    assert has_display({}, "darwin")
    assert not has_display({"DISPLAY": ":10", "SSH_CONNECTION": "1 2 3 4"}, "linux")


def test_a_report_is_shown_at_an_address_and_not_written(system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with serving("report", system, "--serve", "--port", "0") as (process, line):
        assert line.startswith(f"The report of {system}, 0 tasks, 0 sampled children, ")
        url = line.split(" is at ")[1].split()[0]
        assert url.startswith("http://127.0.0.1:")
        with urlopen(url, timeout=60) as answer:
            assert "<title>fleet</title>" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == f"munet: interrupted; the same command goes on: munet report {system} --serve --port 0\n"
    assert list(tmp_path.glob("*.html")) == []


def test_a_report_at_an_address_may_be_written_too(system: Path, tmp_path: Path):
    with serving("report", system, "--serve", "--port", "0", "--out", tmp_path / "x.html") as (_, line):
        assert line.startswith(f"{tmp_path / 'x.html'}: ")
    assert (tmp_path / "x.html").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "0"], "--host and --port go with --serve"),
        (["--serve", "--token", "short"], "--token: use 8 to 200 letters"),
        (["--serve", "--thumbnails", "200"], "--thumbnails 200: --serve shows one page, which holds at most 40"),
    ],
)
def test_what_cannot_be_shown_of_a_report_is_said_in_one_line(system: Path, words: list[str], message: str):
    found = munet("report", str(system), *words)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert message in found.stderr


@pytest.mark.parametrize("words", [["watch"], ["serve"], ["report", "--serve"]])
def test_what_is_missing_for_a_server_is_named_with_its_extra(system: Path, words: list[str]):
    code = "import sys; sys.modules['uvicorn'] = None; from munet.cli import main; main(sys.argv[1:])"
    found = munet(words[0], str(system), *words[1:], code=code)
    assert found.returncode == 2
    assert found.stderr == "munet: error: serving needs the package uvicorn: `pip install 'munet-ml[serve]'`\n"
