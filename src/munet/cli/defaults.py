"""munet.toml in a system's folder: options that its user always gives. A command line that gives them itself wins."""

import shlex
from pathlib import Path
from typing import Any

import typer

from munet.errors import InputError, suggest

_BUDGET = ("method", "task-iterations", "generations", "children", "cycles", "samples-per-cycle", "batch-size", "scale")
_SPENT = ("budget", "samples-per-task", "time", "preprocessing", "set")
_WHERE = ("seed", "device", "image-size", "precision", "threads", "executor", "workers", "cache-memory")
# What reaches over the network, trusts, or leaves a run behind is not among them: a system may have been received.
_MAY = {
    "evolve": (*_BUDGET, *_SPENT, *_WHERE),
    "serve": ("port", "device", "exact", "rows", "queue", "timeout", "max-bytes"),
}


def with_defaults(context: typer.Context, system: Path) -> Path:
    """The callback of SYSTEM, which is read before all options: the other options get their defaults from its file."""
    command = context.info_name or ""
    if command in _MAY and not context.resilient_parsing and (given := _given(system, command)):
        names = {option: parameter.name for parameter in context.command.params for option in parameter.opts}
        context.default_map = {names[f"--{option}"]: value for option, value in given.items()}
        typer.echo(f"note: from {_file(system)}: {_as_words(given)}", err=True)
    return system


def _file(system: Path) -> Path:
    from munet.store.creation import OPTIONS

    return system / OPTIONS


def _given(system: Path, command: str) -> dict[str, Any]:
    """The options of a command in the file, which may be missing. InputError for what cannot be there."""
    from munet.fs.atomic import explained
    from munet.fs.decoding import BYTES, DecodingError, decode_toml
    from munet.fs.tree import Tree

    file = _file(system)
    if not system.is_dir() or (tree := Tree(system)).state(file) is None:
        return {}
    with explained("read", file):
        data = tree.read(file, BYTES + 1)
    try:
        tables = decode_toml(data.decode())
    except (DecodingError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not valid TOML: {error}") from None
    for name in tables:
        if name not in _MAY:
            raise InputError(f"{file}: unknown table [{name}]{suggest(name, _MAY)}: there are {', '.join(_MAY)}")
    given = tables.get(command, {})
    if not isinstance(given, dict):
        raise InputError(f"{file}: {command} is {given!r}; write it as a table, [{command}]")
    return {_known(option, command, file): value for option, value in given.items()}


def _known(option: str, command: str, file: Path) -> str:
    name, may = option.replace("_", "-"), _MAY[command]
    if name not in may:
        raise InputError(f"{file}: [{command}] cannot have {option}{suggest(name, may)}: it has {', '.join(may)}")
    return name


def _as_words(given: dict[str, Any]) -> str:
    words: list[str] = []
    for option, value in given.items():
        for item in value if isinstance(value, list) else [value]:
            words += [f"--{option}"] if item is True else [f"--{option}", str(item)]
    return shlex.join(words)
