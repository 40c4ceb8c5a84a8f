"""Whether an evolution runs, known from files alone: taking the lock to find out could turn an evolution away."""

from contextlib import suppress
from pathlib import Path

from munet.errors import MunetError
from munet.fs.lock_holders import is_held
from munet.report.watch.changes import Look
from munet.store import Store, turns
from munet.store.run_files import CONFIG, FINISHED
from munet.store.run_records import is_going_on

EMPTY, EVOLVING, INTERRUPTED, ENDED = "empty", "evolving", "interrupted", "finished"


def activity(path: Path, look: Look) -> tuple[str, str | None]:
    """What the runs that go on do, or else the newest one, and its name; the names of several with commas.

    empty: no run has begun; evolving: a process of this machine is at it; interrupted: it has not ended and no process
    of this machine is at it; finished: it has ended.
    """
    begun = [(name, files) for name, files in look.runs if CONFIG in files]
    run, files = begun[-1] if begun else (None, {})
    if is_evolving(path):
        going_on = [name for name, some in begun if FINISHED not in some and _is_going_on(path, name)]
        return EVOLVING, ", ".join(going_on) or (run if FINISHED not in files else None)
    if run is None:
        return EMPTY, None
    return (ENDED if FINISHED in files else INTERRUPTED), run


def is_evolving(path: Path) -> bool:
    """Whether a process of this machine holds the system's `.evolving`, as far as this user may see."""
    return is_held(path / turns.LOCK)


def _is_going_on(path: Path, run: str) -> bool:
    with suppress(MunetError):
        return is_going_on(Store(path, root=""), run)
    return False
