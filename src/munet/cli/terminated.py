"""SIGTERM ends a command as Ctrl-C does: what is open is closed, and a line says what goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGTERM, signal
from threading import current_thread, main_thread

TERMINATED = 128 + SIGTERM  # as shells have it


@contextmanager
def terminated() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that a view goes and the cursor comes back; the store needs no care."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(TERMINATED)

    if current_thread() is not main_thread():
        yield
        return
    before = signal(SIGTERM, leave)
    try:
        yield
    finally:
        signal(SIGTERM, before)
