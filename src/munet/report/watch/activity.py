"""Whether an evolution runs, known from files alone: taking the lock to find out could turn an evolution away."""

from pathlib import Path

from munet.fs.lock_holders import is_held
from munet.report.watch.changes import Look
from munet.store.run_files import CONFIG, FINISHED

EMPTY, EVOLVING, INTERRUPTED, ENDED = "empty", "evolving", "interrupted", "finished"


def activity(path: Path, look: Look) -> tuple[str, str | None]:
    """What the newest run does, and its name.

    empty: no run has begun; evolving: a process of this machine is at it; interrupted: it has not ended and no process
    of this machine is at it; finished: it has ended.
    """
    begun = [(name, files) for name, files in look.runs if CONFIG in files]
    run, files = begun[-1] if begun else (None, {})
    if is_evolving(path):
        return EVOLVING, run if FINISHED not in files else None
    if run is None:
        return EMPTY, None
    return (ENDED if FINISHED in files else INTERRUPTED), run


def is_evolving(path: Path) -> bool:
    """Whether a process of this machine holds the system's `.evolving`, as far as this user may see."""
    return is_held(path / ".evolving")
