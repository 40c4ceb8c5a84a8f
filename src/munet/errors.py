"""What users may see: one line that names the file, the value and the way out.

The command line prints the message and exits with `exit_code`; it never shows a traceback for these.
"""


class MunetError(Exception):
    """Base of every error that munet raises for its users."""

    exit_code = 2


class InputError(MunetError):
    """Something that the user gave cannot be used: a name, a value, a file, a data set."""


class StoreError(MunetError):
    """The system directory cannot be read or written: not a system, newer format, no space, no permission."""


class WorkerError(MunetError):
    """Those who train children cannot go on: they die again and again, or their cluster is gone."""


class DamagedError(MunetError):
    """A stored object does not hold what its id promises."""

    exit_code = 3


def suggest(value: str, known: object) -> str:
    """` (did you mean 'x'?)` for the nearest of `known`, or an empty string."""
    from difflib import get_close_matches

    names = [str(name) for name in known]  # type: ignore[attr-defined]
    near = get_close_matches(value, names, n=1, cutoff=0.5)
    return f" (did you mean '{near[0]}'?)" if near else ""
