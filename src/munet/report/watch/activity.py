"""Whether an evolution runs, known from files alone: taking the lock to find out could turn an evolution away."""

import os
from pathlib import Path

from munet.fs.tree import Tree
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
    files, lock = Tree(path), path / ".evolving"
    try:
        holder = int(files.read(lock, 32))
    except (OSError, ValueError):
        return False
    own = files.state(lock)
    if holder <= 0 or own is None:
        return False
    # Only who evolves, or makes, a system has this file open; its process may live on after that, say in a notebook.
    try:
        with os.scandir(f"/proc/{holder}/fd") as opened:
            return any(_is_same(entry, own) for entry in opened)
    except FileNotFoundError:
        return _is_alive(holder) if not os.path.isdir("/proc/self/fd") else False
    except OSError:
        return _is_alive(holder)


def _is_same(entry: "os.DirEntry[str]", own: os.stat_result) -> bool:
    try:
        if not os.readlink(entry.path).endswith("/.evolving"):
            return False
        found = entry.stat()
    except OSError:  # closed in the meantime
        return False
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
