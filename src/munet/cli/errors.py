"""Errors as the command line tells them: one line of prose, or one JSON object where the command has `--json`."""

import errno
import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from munet.errors import MunetError

_NO_COMMAND = re.compile(r"No such command '([^']*)'")
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


@dataclass(frozen=True)
class Failure:
    """Why a command ends, for people and for programs."""

    kind: str
    message: str
    exit_code: int

    def tell(self, *, as_json: bool) -> None:
        """One line on standard error, the last one there."""
        from munet.text import clean

        sys.stdout.flush()
        line = " ".join(clean(part) for part in self.message.splitlines())
        if as_json:
            line = json.dumps({"error": {"kind": self.kind, "message": line, "exit_code": self.exit_code}})
        elif self.kind == "interrupted":
            line = f"munet: {line}"
        else:
            line = f"munet: error: {line}"
        sys.stderr.write(line + "\n")


def wants_json(words: Sequence[str]) -> bool:
    """Whether the words of a command ask for JSON. They count also where they are no command."""
    options = words[: list(words).index("--")] if "--" in words else words
    return "--json" in options


def end(failure: Failure, *, as_json: bool) -> NoReturn:
    """Tell why, and end the process."""
    failure.tell(as_json=as_json)
    sys.exit(failure.exit_code)


def interrupted(words: Sequence[str], exit_code: int = INTERRUPTED) -> Failure:
    return Failure("interrupted", f"interrupted; the same command goes on: {shlex.join(['munet', *words])}", exit_code)


def explained(error: Exception) -> Failure:
    """The message for the user about an error."""
    if isinstance(error, MunetError):
        return Failure(error.kind, str(error), error.exit_code)
    if isinstance(error, OSError) and error.strerror:
        kind = "missing-file" if isinstance(error, FileNotFoundError) else "store"
        return Failure(kind, _os_error(error), MunetError.exit_code)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        text = "out of memory: a smaller --batch-size or --image-size needs less"
        return Failure("memory", text, MunetError.exit_code)
    if hasattr(error, "format_message"):
        return Failure("usage", _usage(error), MunetError.exit_code)
    if type(error).__name__ == "Abort":  # a question that was answered with no
        return Failure("interrupted", "nothing was started", INTERRUPTED)
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    return Failure("internal", f"internal error, {text}; MUNET_TRACEBACK=1 shows where it happened", 1)


def _usage(error: Any) -> str:
    """What is wrong with the words of a command. `error` is one of click's, which typer has under its own name."""
    from munet.cli.other_names import other_command, other_option

    context = error.ctx
    if context is None:
        return error.format_message()
    command = context.command_path.partition(" ")[2]
    if (option := getattr(error, "option_name", None)) and type(error).__name__ == "NoSuchOption":
        known = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
        return other_option(option, command, known)
    text = error.format_message().rstrip(".")
    if (unknown := _NO_COMMAND.match(text)) and not command:
        return other_command(unknown.group(1), context.command.commands)
    return f"{text[:1].lower()}{text[1:]}; `{context.command_path} --help` says how"


def _os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    ways = {
        errno.ENOSPC: "free some space and give the same command again",
        errno.EDQUOT: "your quota is used up; free some space and give the same command again",
        errno.EACCES: "change its mode or choose another place",
        errno.EROFS: "choose a place that can be written",
    }
    way = ways.get(error.errno or 0)
    text = (error.strerror or str(error)).lower()
    return f"{where}{text}{f'; {way}' if way else ''}"


def traceback_wanted() -> bool:
    return bool(os.environ.get("MUNET_TRACEBACK"))
