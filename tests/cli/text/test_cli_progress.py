"""The bar for long work: only in a terminal, only after some patience, and gone at the end."""

import io
import threading

import pytest
from rich.console import Console

from munet.cli import common
from munet.cli.text.progress import progress


def console_of(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    file = io.StringIO()
    made = Console(file=file, force_terminal=terminal, width=80)
    monkeypatch.setattr(common, "console", lambda *, stderr=False: made)
    return file


def test_a_pipe_gets_nothing(monkeypatch):
    file = console_of(monkeypatch, terminal=False)
    with progress("reading", patience=0.0) as report:
        report(1, 2)
    assert file.getvalue() == ""


def test_quick_work_shows_no_bar(monkeypatch):
    file = console_of(monkeypatch, terminal=True)
    with progress("reading", patience=3600.0) as report:
        report(1, 2)
    assert "reading" not in file.getvalue()
    assert not any(
        isinstance(thread, threading.Timer) and not thread.finished.is_set() for thread in threading.enumerate()
    )


def test_long_work_shows_how_far_it_is_and_cleans_up(monkeypatch):
    file = console_of(monkeypatch, terminal=True)
    with progress("reading", patience=0.0) as report:
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()
        report(3, 10)
    text = file.getvalue()
    assert "reading" in text
    assert "3/10" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, "the cursor comes back"


def test_an_error_takes_the_bar_away(monkeypatch):
    file = console_of(monkeypatch, terminal=True)

    def work() -> None:
        with progress("reading", patience=0.0):
            for thread in threading.enumerate():
                if isinstance(thread, threading.Timer):
                    thread.join()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert file.getvalue().endswith("\x1b[2K")
