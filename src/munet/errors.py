"""What users may see: one line that names the file, the value and the way out.

The command line prints the message and exits with `exit_code`; it never shows a traceback for these. A program tells
them apart by `kind`, a word that stays: `KINDS` lists all of them, and so does docs/cli.md.
"""

from munet.text import clean

KINDS = {
    "input": "something that was given cannot be used: a value, a file, a data set",
    "usage": "the words of the command line are no command: an unknown option, a missing argument",
    "unknown-task": "the system has no such task",
    "unknown-model": "no task, and no model whose id starts so",
    "unknown-method": "no such method, nor a file of one",
    "unknown-setting": "a method or a run has no such setting",
    "unknown-root": "no such root, or no such model in timm",
    "unknown-benchmark": "the catalog has no such benchmark",
    "no-tasks": "the system has no tasks yet",
    "no-model": "the task has no model yet: evolve it first",
    "missing-file": "a file or folder that was named is not there",
    "missing-extra": "an optional package is not installed; the message has the pip command",
    "exists": "what should be made is there already",
    "too-large": "what was sent is larger than the server takes",
    "untrusted-source": "the task was not added on this machine: its images are opened only after that was allowed",
    "changed-data": "the images of a task changed since it was added",
    "other-data": "the name of a task stands for other images, or other classes, there than here",
    "other-root": "the systems grew from different roots, so that no layer of one fits the other",
    "remote": "a remote cannot be reached, or refuses what was asked",
    "signature": "a signature is bad, is missing where one is required, or cannot be made",
    "interrupted-run": "another run was interrupted: `munet resume` goes on with it, `--abandon RUN` leaves it behind",
    "store": "the disk refuses, or the directory cannot be read or written",
    "no-system": "the directory is no munet system",
    "newer-format": "a newer version of munet wrote it",
    "busy": "another process is evolving one of the tasks",
    "damaged": "stored data does not hold what its id promises",
    "worker": "the processes that train cannot go on",
    "memory": "out of memory",
    "interrupted": "stopped with Ctrl-C or a signal: the same command goes on",
    "internal": "an error in munet: please report it",
}


class MunetError(Exception):
    """Base of every error that munet raises for its users. `kind` is one of `KINDS`, that of the class unless given."""

    exit_code = 2
    kind = "input"

    def __init__(self, message: str = "", *, kind: str | None = None) -> None:
        super().__init__(clean(" ".join(message.splitlines())))  # also where it names a value of two lines
        if kind is not None:
            self.kind = kind


class InputError(MunetError):
    """Something that the user gave cannot be used: a name, a value, a file, a data set."""


class StoreError(MunetError):
    """The system directory cannot be read or written: not a system, newer format, no space, no permission."""

    kind = "store"


class WorkerError(MunetError):
    """Those who train children cannot go on: they die again and again, or their cluster is gone."""

    kind = "worker"


class DamagedError(MunetError):
    """A stored object does not hold what its id promises."""

    exit_code = 3
    kind = "damaged"


def suggest(value: str, known: object) -> str:
    """` (did you mean 'x'?)` for the nearest of `known`, or one that has it between slashes, or an empty string."""
    from difflib import get_close_matches

    names = [str(name) for name in known]  # type: ignore[attr-defined]
    near = get_close_matches(value, names, n=1, cutoff=0.6) or [name for name in names if value in name.split("/")]
    return f" (did you mean '{near[0]}'?)" if near else ""
