"""A run's directory: its configuration, what it measured, its checkpoints, and the state from which it goes on.

    config.json               what was asked for, versions, machine
    metrics.jsonl             a line for each evaluation
    checkpoints/round-N.pt    network and allocation after N rounds
    state.pt                  all that training needs to go on: these and the optimisers, written last
    allocation.npz, summary.json  when the run is over

Each file is written whole or not at all, and `state.pt` alone says how far the run is: what lies beyond it was written
just before a crash, and is written again. Each carries its checksum (`sealed`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from munet.allocation.runs.sealed import read_json, read_lines, read_tensors, write_json, write_lines, write_tensors
from munet.errors import DamagedError, InputError, StoreError
from munet.fs.atomic import make_folder
from munet.fs.tree import Tree
from munet.provenance import machine, now, versions

FORMAT = 1
_BEGIN = "remove it, and the same command begins the run anew"
_CHECKPOINT = re.compile(r"round-(\d+)\.pt")


class RunFolder:
    """The files of one run. Opening one writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._files = Tree(self.path)

    # What was asked for

    def compare(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The configuration of the run that is there, None where nothing is.

        InputError: the folder holds a run of another configuration, or something else.
        """
        if self.exists:
            config = self.config()
            differing = differences(config["request"], request)
            if differing:
                raise InputError(
                    f"{self.path} holds a run of another configuration: {differing}; "
                    "give another --out, or the same options to go on with it",
                    kind="exists",
                )
            return config
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise InputError(
                f"--out {self.path} is there and holds no run of munet allocation: give another folder", kind="exists"
            )
        return None

    def begin(self, request: Mapping[str, Any], *, threads: int) -> dict[str, Any]:
        """As `compare`, but where nothing is the configuration is written."""
        config = self.compare(request)
        if config is None:
            config = {
                "format": FORMAT,
                "request": dict(request),
                "threads": threads,
                "started": now(),
                "versions": versions(),
                "machine": machine(),
            }
            make_folder(self.path)
            write_json(self._files, self.path / "config.json", config)
        self._files.make_folder(self.path / "checkpoints")
        return config

    @property
    def exists(self) -> bool:
        return self._files.has_file(self.path / "config.json")

    def config(self) -> dict[str, Any]:
        """InputError where there is no run; StoreError where its configuration cannot be read."""
        if not self.exists:
            raise InputError(
                f"{self.path}: no run of munet allocation there (it has no config.json)", kind="missing-file"
            )
        return read_json(self._files, self.path / "config.json")

    # What was measured

    def metrics(self, upto: int | None = None) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl, those up to a round; without a last one that was cut off. Raises DamagedError."""
        file = self.path / "metrics.jsonl"
        if not self._files.has(file):
            return []
        lines = read_lines(self._files, file)
        return [line for line in lines if upto is None or line["round"] <= upto]

    def write_metrics(self, lines: Sequence[Mapping[str, Any]]) -> None:
        write_lines(self._files, self.path / "metrics.jsonl", lines)

    def summary(self) -> dict[str, Any] | None:
        """What the finished run says of itself; None as long as it is not finished."""
        return (
            read_json(self._files, self.path / "summary.json") if self._files.has(self.path / "summary.json") else None
        )

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        write_json(self._files, self.path / "summary.json", summary)

    # Tensors

    def rounds(self) -> list[int]:
        """Rounds that have a checkpoint, in order."""
        try:
            names = self._files.names(self.path / "checkpoints")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self.path / 'checkpoints'} cannot be read: {error.strerror}") from error
        found = (_CHECKPOINT.fullmatch(name) for name in names)
        return sorted(int(match[1]) for match in found if match)

    def round_of(self, word: str) -> int:
        """The round of a checkpoint: "best" so far by validation, "last", or a number. InputError where it is none."""
        rounds = self.rounds()
        if not rounds:
            raise InputError(f"{self.path} has no checkpoint yet: give its train command again to go on")
        if word == "last":
            return rounds[-1]
        if word == "best":
            lines = self.metrics()
            if not lines:
                raise StoreError(
                    f"{self.path / 'metrics.jsonl'} holds no whole line: give --checkpoint last or a round"
                )
            return best_round(lines)
        if not word.isdecimal() or int(word) not in rounds:
            known = ", ".join(map(str, rounds[:8])) + (", …" if len(rounds) > 8 else "")
            raise InputError(f"--checkpoint {word}: give best, last or a round that was kept: {known}")
        return int(word)

    def write_checkpoint(self, round: int, held: Mapping[str, Any]) -> None:
        write_tensors(self._files, self._file(round), {**held, "round": round})

    def checkpoint(self, round: int) -> dict[str, Any]:
        """What was kept of a round. Raises DamagedError, StoreError."""
        way_out = "remove it and give --checkpoint another round, or remove the run's folder and train it anew"
        held = read_tensors(self._files, self._file(round), way_out)
        if held.get("round", round) != round:
            raise DamagedError(f"{self._file(round)} is the checkpoint of round {held['round']}: {way_out}")
        return held

    def strip(self, round: int) -> None:
        """Remove the network from a checkpoint; the allocation stays."""
        if self._files.has(self._file(round)):
            self.write_checkpoint(round, self.checkpoint(round) | {"network": None})

    def _file(self, round: int) -> Path:
        return self.path / "checkpoints" / f"round-{round}.pt"

    def state(self) -> dict[str, Any] | None:
        """From where the run goes on; None before its first save."""
        file = self.path / "state.pt"
        return read_tensors(self._files, file, _BEGIN) if self._files.has(file) else None

    def write_state(self, state: Mapping[str, Any]) -> None:
        write_tensors(self._files, self.path / "state.pt", state)


def differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """`budget 0.75 there, 1.0 asked`, for all that differ; empty if nothing does."""
    names = [*asked, *(name for name in there if name not in asked)]
    return "; ".join(
        f"{name} is {text(there.get(name))} there, {text(asked.get(name))} asked"
        for name in names
        if there.get(name) != asked.get(name)
    )


def text(value: Any) -> str:
    """A setting in one word or two."""
    return "not set" if value is None else value if isinstance(value, str) else json.dumps(value)


def best_round(lines: Sequence[Mapping[str, Any]]) -> int:
    """Of the lines of metrics.jsonl: the earliest of the best by mean validation score; the last without validation."""
    if any("mean_validation" not in line for line in lines):
        return lines[-1]["round"]
    return max(lines, key=lambda line: line["mean_validation"])["round"]
