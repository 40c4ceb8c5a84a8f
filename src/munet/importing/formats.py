"""Which of the published formats a folder holds, and which of its states is the newest whole one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from munet.errors import InputError
from munet.fs.decoding import decode_json

TABLES = ("population.csv", "paths.csv", "components.csv")
_STATE = re.compile(r"state_(\d+)_(\d+)")
_CHECKPOINT = re.compile(r"checkpoint_(\d+)(?:_(\d+))?")
_FORMATS = "state_*/ (mu2Net), checkpoint_* with population.csv (muNet) or agents' folders (mu3Net, mu2Net+)"


@dataclass(frozen=True)
class StateFolder:
    """One saved state: its folder, its place in time, its checkpoint."""

    path: Path
    order: tuple[int, int]  # task iterations or cycles that were over, generation
    checkpoint: Path

    @property
    def missing(self) -> str | None:
        """The first file that it lacks."""
        tables = ("published.csv", *TABLES) if (self.path / "published.csv").exists() else TABLES
        wanted = [self.checkpoint, *(self.path / table for table in tables)]
        return next((file.name for file in wanted if not file.is_file()), None)


@dataclass(frozen=True)
class Place:
    """What a folder turned out to hold."""

    format: str  # munet, mu2net or mu3net
    folder: Path
    states: list[StateFolder]  # the one to import; of mu3net all public states, oldest first
    notes: list[str]


def find(folder: Path) -> Place:
    """Tell the format of a folder and choose its newest whole state. InputError for a folder that holds none."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is {'a file' if folder.exists() else 'not there'}: give the folder of a system",
            kind="missing-file",
        )
    found = _recognised(folder)
    if found is not None:
        return found
    inside = [child for child in _folders(folder) if _recognised(child, quiet=True)]
    if len(inside) == 1:
        raise InputError(f"{folder} holds no published system itself, but {inside[0]} does: give that folder")
    raise InputError(f"{folder} holds no published system: there is no {_FORMATS}")


def read_config(*folders: Path) -> Any:
    """config.json of the first folder that has one; None where there is none."""
    for folder in folders:
        path = folder / "config.json"
        if not path.is_file():
            continue
        try:
            return decode_json(path.read_bytes())
        except (ValueError, OSError) as error:
            raise InputError(
                f"{path} cannot be read as JSON ({error}): repair or remove it, nothing depends on it"
            ) from error
    return None


def _recognised(folder: Path, quiet: bool = False) -> Place | None:
    """The place, or None. `quiet`: what is recognised and cannot be used counts, too."""
    if _is_agent(folder) or (_STATE.fullmatch(folder.name) and (folder / "published.csv").exists()):
        if quiet:
            return Place("mu3net", folder, [], [])
        above = folder.parent if _is_agent(folder) else folder.parent.parent
        raise InputError(f"{folder} is one agent of a system of several: give the folder above them, {above}")
    if any(_is_agent(child) for child in _folders(folder)):
        return Place("mu3net", folder, [], []) if quiet else _agents(folder)
    states = list(_states(folder))
    if states:
        return Place("mu2net", folder, [], []) if quiet else _newest(folder, states)
    checkpoints = _checkpoints(folder)
    if not checkpoints:
        if (folder / "population.csv").exists() and not quiet:
            raise InputError(
                f"{folder} has tables but no checkpoint_*: the state is not whole, copy or unpack it again"
            )
        return None
    order, checkpoint = max(checkpoints)
    format = "munet" if checkpoint.name.count("_") == 1 else "mu2net"
    return Place(format, folder, [StateFolder(folder, order, checkpoint)], [])


def _checkpoints(folder: Path) -> list[tuple[tuple[int, int], Path]]:
    """(place in time, file), also where the tables lack. What ends in _tmp is not matched."""
    matches = [(match, child) for child in _children(folder) if (match := _CHECKPOINT.fullmatch(child.name))]
    return [((int(match[1]), int(match[2] or 0)), child) for match, child in matches if child.is_file()]


def _states(folder: Path) -> Iterator[StateFolder]:
    for child in _folders(folder):
        match = _STATE.fullmatch(child.name)
        if match:
            order = int(match[1]), int(match[2])
            yield StateFolder(child, order, child / f"checkpoint_{match[1]}_{match[2]}")


def _newest(folder: Path, states: list[StateFolder]) -> Place:
    notes = []
    for state in sorted(states, key=lambda state: state.order, reverse=True):
        if state.missing is None:
            return Place("mu2net", folder, [state], notes)
        notes.append(f"{state.path.name} is not whole, it has no {state.missing}: an older state is imported")
    newest = max(states, key=lambda state: state.order)
    raise InputError(f"{folder} has no whole state: {newest.path.name} has no {newest.missing}")


def _is_agent(folder: Path) -> bool:
    return any((state.path / "published.csv").exists() for state in _states(folder))


def _agents(folder: Path) -> Place:
    public, notes = [], list[str]()
    for agent in _folders(folder):
        every = sorted(_states(agent), key=lambda state: state.order)
        states = [state for state in every if state.order[1] == 0]
        if every and not states:
            notes.append(f"agent {agent.name} has published nothing yet and is left out")
        for state in states:
            if state.missing is not None:
                raise InputError(f"{state.path} has no {state.missing}: the state is not whole, copy it again")
        public += states
    if not public:
        raise InputError(f"{folder} has agents, but none of them has published anything: there is no state_*_0")
    return Place("mu3net", folder, public, notes)


def _folders(folder: Path) -> list[Path]:
    return sorted(child for child in _children(folder) if child.is_dir())


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}") from error
