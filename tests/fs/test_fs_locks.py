"""Locks between processes: who waits is told for whom, nobody waits for ever, and readers cannot hold anybody up."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lock_holder import lock
from munet.fs import lock_holders, locks
from munet.provenance import person
from repo import REPO

needs_list = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system has no list of its locks")


@contextmanager
def process(how: str, path: Path, *, within: bool = True) -> Iterator[subprocess.Popen[str]]:
    """Another process that takes a lock; `within` waits until it has it. Its end lets go."""
    command = [sys.executable, str(REPO / "tests" / "helpers" / "lock_holder.py"), how, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            if within:
                wait_for(started)
            yield started
        finally:
            started.kill()


def wait_for(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    assert started.stdout.readline() == "in\n"


def leave(started: subprocess.Popen[str]) -> None:
    started.communicate("\n")


def waits(started: subprocess.Popen[str]) -> None:
    """Return once a process waits for a lock, by the kernel's own list."""
    while not any("->" in line and f" {started.pid} " in line for line in Path("/proc/locks").read_text().splitlines()):
        assert started.poll() is None


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o600), (0o002, 0o660), (0o000, 0o666), (0o077, 0o600)])
def test_only_who_may_write_may_open_a_lock(tmp_path: Path, mask: int, mode: int) -> None:
    """Whoever may open a file may lock it: with permission to read alone `add` and `evolve` could be held up."""
    old = os.umask(mask)
    try:
        for how in ("shared", "exclusive", "alone"):
            with lock(how, tmp_path / how):
                assert (tmp_path / how).stat().st_mode & 0o777 == mode
    finally:
        os.umask(old)


def test_a_lock_of_an_older_version_is_closed_to_readers(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.touch()
    path.chmod(0o644)
    with lock("shared", path):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("holder", "waiter"), [("exclusive", "shared"), ("shared", "exclusive")])
def test_who_waits_is_told_for_whom(
    tmp_path: Path, holder: str, waiter: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.01)
    path = tmp_path / ".lock"
    with process(holder, path) as other:

        def wait() -> None:
            with lock(waiter, path):
                pass

        waiting = threading.Thread(target=wait)
        waiting.start()
        while not caplog.messages:
            waiting.join(0.01)
        leave(other)
        waiting.join()
    (text,) = caplog.messages
    me = f"{person()['user']}@{person()['host']}"
    assert text.startswith(f"waiting for process {other.pid} of {me} (lock_holder.py {holder} {path}, since 2")
    assert text.endswith(f", which holds {path}")


@needs_list
def test_a_process_that_is_no_munet_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    code = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('in', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        wait_for(other)
        with path.open() as file:
            text = lock_holders.who_holds(file.fileno())
        assert lock_holders.is_held(path)
        leave(other)
    assert f"process {other.pid} of {person()['user']}@" in text
    assert "fcntl.flock" in text
    assert ", since 2" in text
    assert not lock_holders.is_held(path)


@needs_list
@pytest.mark.parametrize("fair", [True, False], ids=["as it is", "the test catches a lock without turns"])
def test_writers_that_commit_without_a_pause_do_not_starve_a_collection(tmp_path: Path, fair: bool) -> None:
    """While a collection waits for a commit, no new one goes before it."""
    path = tmp_path / ".lock"
    with process("shared", path) as first, process("exclusive", path, within=False) as collection:
        waits(collection)
        if not fair:
            with path.open() as file:  # what `shared` would do without the turn
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        with process("shared", path, within=False) as second:
            waits(second)
            leave(first)
            wait_for(collection)
            waits(second)
            leave(collection)
            wait_for(second)


def test_a_commit_within_a_commit_does_not_wait_for_a_collection(tmp_path: Path) -> None:
    """Nested ones, of any thread, are one to the others: they must not wait for who waits for them."""
    path = tmp_path / ".lock"
    with lock("shared", path), process("exclusive", path, within=False) as collection:
        while True:  # until it waits: it holds the turn
            with (tmp_path / ".turn").open("a") as turn:
                try:
                    fcntl.flock(turn, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    break
        entered = threading.Event()

        def enter() -> None:
            with lock("shared", path):
                entered.set()

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        assert entered.is_set()
        collection.kill()


@needs_list
@pytest.mark.parametrize(("step", "call"), [("_wait", 1), ("_wait", 2), ("_open", 2), ("mark", 1)])
def test_an_interrupt_on_the_way_in_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, call: int
) -> None:
    """A notebook goes on after it, and everybody else would wait for that."""
    path, calls, real = tmp_path / ".lock", 0, getattr(locks, step)

    def interrupted(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        done = real(*given)
        if calls == call:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(locks, step, interrupted)
        with pytest.raises(KeyboardInterrupt), lock("shared", path):
            pass
    assert not lock_holders.is_held(path)
    with lock("shared", path):
        assert lock_holders.is_held(path)
    assert not lock_holders.is_held(path)


def test_a_forked_process_lets_go_nothing(tmp_path: Path) -> None:
    """Also where it is inside when it is forked, and goes out before its parent does."""
    path = tmp_path / ".lock"
    code = f"""
import os, sys
sys.path.insert(0, {str(REPO / "tests" / "helpers")!r})
from pathlib import Path
from lock_holder import lock
from munet.fs.lock_holders import is_held
path = Path({str(path)!r})
with lock("shared", path):
    if os.fork() == 0:
        held = None
    else:
        os.wait()
        held = is_held(path)
print(held, is_held(path), flush=True)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "True False"
