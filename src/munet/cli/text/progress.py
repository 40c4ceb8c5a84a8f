"""A bar with the time left for whatever takes longer than two seconds, on standard error, in a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer

Progress = Callable[[int, int | None], None]  # done, in all; None where nobody knows
PATIENCE = 2.0  # seconds


@contextmanager
def progress(what: str, *, patience: float = PATIENCE) -> Iterator[Progress]:
    """Yields a callback `(done, total)`; the bar appears after `patience` seconds and goes when the block ends."""
    from munet.cli.common import console

    err = console(stderr=True)
    if not err.is_terminal or err.is_dumb_terminal:
        yield lambda done, total: None
        return

    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeRemainingColumn())
    bar = Bar(*columns, console=err, transient=True, refresh_per_second=4)
    task = bar.add_task(what, total=None, count="")  # what tells no total has a bar that only moves
    lock, ended = Lock(), False

    def appear() -> None:
        with lock:
            if not ended:
                bar.start()

    timer = Timer(patience, appear)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, total: bar.update(
            task, completed=done, total=total, count=f"{done:,}" if total is None else f"{done:,}/{total:,}"
        )
    finally:
        timer.cancel()
        with lock:
            ended = True
            bar.stop()
