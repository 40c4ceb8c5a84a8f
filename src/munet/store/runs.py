"""The runs of a system: what was tried, a folder of records for each."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from munet.errors import InputError, suggest
from munet.fs.tree import Tree
from munet.store.reading import read_record
from munet.store.records import DamagedFile, seal
from munet.store.run_files import (
    CONFIG,
    FINISHED,
    PLACE,
    in_order,
    misplaced,
    models_of_generation,
    placed,
    schema_of,
)


class Runs(ABC):
    """The part of a `Store` that knows runs by their files; `run_records` knows what these hold."""

    path: Path
    files: Tree

    @abstractmethod
    def commit(self) -> AbstractContextManager[None]: ...
    @abstractmethod
    def names(self, folder: str) -> list[str]: ...
    @abstractmethod
    def refuse_unknown(self, models: Sequence[str]) -> None:
        """InputError for a model that is not stored."""

    def runs(self) -> list[str]:
        """Names of the runs, oldest first. A run that was killed before its config was written is none."""
        return [name for name in self.run_folders() if self.files.has(f"{self.path}/runs/{name}/{CONFIG}")]

    def new_run(self, config: Mapping[str, Any]) -> str:
        """Begin a run with this config and return its name: 0001, 0002, …"""
        with self.commit():
            names = self.run_folders()
            number = int(names[-1]) + 1 if names else 1
            while True:
                folder = self.path / "runs" / f"{number:04d}"
                try:
                    self.files.make_folder(folder, new=True)
                    break
                except FileExistsError:  # another process took this number
                    number += 1
            self.write_run(folder.name, CONFIG, config)
        return folder.name

    def write_run(self, run: str, file: str, record: Mapping[str, Any]) -> None:
        """Write or replace one record of a run. `file` is its name, with or without `.json`."""
        path = self.run_path(run, file)
        with self.commit():
            self.refuse_unknown(models_of_generation(record))
            self.files.write(path, seal(placed(run, file, record), f"the run record {file!r}"))

    def read_run(self, run: str, file: str) -> dict[str, Any]:
        """One record of a run. Raises InputError when there is none, DamagedError for a damaged one."""
        path = self.run_path(run, file)
        record = read_record(self.files, path, schema_of(file), models_of_generation)
        if record is None:
            raise InputError(f"run {run!r} of {self.path} has no record {file!r}{suggest(file, self.run_files(run))}")
        fault = misplaced(run, file, record)
        if fault is not None:
            raise DamagedFile(path, fault, self.path)
        record.pop(PLACE, None)
        return record

    def has_run_file(self, run: str, file: str) -> bool:
        """Whether a run has this record. Unlike `run_files` it does not take longer in a long run."""
        return self.files.has(self.run_path(run, file))

    def is_finished(self, run: str) -> bool:
        """Whether a run ended, by itself or because a new one was started in its place."""
        return self.has_run_file(run, FINISHED)

    def unfinished_runs(self) -> list[str]:
        """Runs that have not ended, oldest first: one may be in progress, others were interrupted."""
        return [run for run in self.runs() if not self.is_finished(run)]

    def run_files(self, run: str) -> list[str]:
        """Names of a run's records, `.json` included, counting upwards: generation 10 after generation 9."""
        self.run_path(run, CONFIG)
        return in_order(name for name in self.names(f"runs/{run}") if name.endswith(".json"))

    def run_folders(self) -> list[str]:
        return sorted((name for name in self.names("runs") if re.fullmatch("[0-9]+", name)), key=int)

    def run_path(self, run: str, file: str) -> Path:
        """The file of a run's record. Raises InputError for an unknown run and for a name that is no file name."""
        if not re.fullmatch("[0-9]+", run) or not self.files.has_folder(self.path / "runs" / run):
            raise InputError(f"{self.path} has no run {run!r}{suggest(run, self.run_folders())}")
        stem = file.removesuffix(".json")
        if not stem or "/" in stem or stem.startswith("."):
            raise InputError(f"{file!r} is no name for a run record: use a plain file name")
        return self.path / "runs" / run / f"{stem}.json"
