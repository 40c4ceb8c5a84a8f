"""Where the images of a task are on this machine or can be had from, and what cannot be had. Downloads nothing."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from munet.catalog.tasks import Benchmark, Task
from munet.errors import InputError, suggest
from munet.store.schema import TaskRecord

if TYPE_CHECKING:
    from munet.system import System

VARIABLE = "MUNET_DATA"
SCHEMES = ("tfds", "hf")


@dataclass(frozen=True)
class Place:
    """An address for `System.add_task`, and the split expressions that go with it."""

    address: str
    splits: dict[str, str]


def data_folder(given: Path | None) -> Path | None:
    """The folder of prepared sets: `given`, else what MUNET_DATA says. InputError where it is no folder."""
    named = os.environ.get(VARIABLE)
    folder = given if given is not None else Path(named) if named else None
    if folder is not None and not folder.is_dir():
        origin = "--data" if given is not None else VARIABLE
        raise InputError(
            f"{origin} {folder}: there is no such folder; name the one that holds the image sets", kind="missing-file"
        )
    return folder


def place(task: Task, data: Path | None = None, prefer: str | None = None) -> Place:
    """Where to read a task: a folder in `data`, else prepared TFDS data, else the Hugging Face hub.

    `prefer` (hf or tfds) comes first where it can be had. InputError with the reasons where there is none.
    """
    found, why = _find(task, data_folder(data), prefer)
    if found is None:
        raise InputError(f"task {task.name} cannot be had: {why}")
    return Place(found, task.splits_at(found))


def address(task: Task, data: Path | None = None, prefer: str | None = None) -> str:
    """The source for `System.add_task`; `place` has the splits that belong to it. InputError as `place`."""
    return place(task, data, prefer).address


def unavailable(benchmark: Benchmark, data: Path | None = None, prefer: str | None = None) -> list[tuple[Task, str]]:
    """Tasks whose images cannot be had here, and why. Looks at folders only: a missing network shows later."""
    folder = data_folder(data)
    tried = [(task, *_find(task, folder, prefer)) for task in benchmark.tasks]
    return [(task, why) for task, found, why in tried if found is None]


def root_address(benchmark: Benchmark, data: Path | None = None) -> str:
    """The root for `System.create`. InputError where it is a file of the data folder that is not there."""
    if "{data}" not in benchmark.root:
        return benchmark.root
    scheme, _, path = benchmark.root.partition(":")
    return f"{scheme}:{_file(path, benchmark, data)}"


def weights_file(benchmark: Benchmark, data: Path | None = None) -> Path | None:
    """The file of the root's weights, for `System.create`; None: it needs none. InputError as `root_address`."""
    return None if benchmark.weights is None else _file(benchmark.weights, benchmark, data)


def _file(template: str, benchmark: Benchmark, data: Path | None) -> Path:
    folder = data_folder(data)
    if folder is None:
        name = Path(template).name
        raise InputError(f"the root of {benchmark.name} is the file {name}: say --data DIR, the folder that holds it")
    path = Path(template.format(data=folder))
    if not path.is_file():
        raise InputError(
            f"{path}: the root of {benchmark.name} is not there; docs/catalog.md says where to get it",
            kind="missing-file",
        )
    return path


def add(
    system: "System",
    task: Task,
    data: Path | None = None,
    *,
    prefer: str | None = None,
    private: bool = False,
    skip_bad: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TaskRecord:
    """Add a task of the catalog to a system; returns its record. InputError where its images cannot be had or read."""
    found = place(task, data, prefer)
    return system.add_task(
        task.name,
        found.address,
        train=found.splits["train"],
        validation=found.splits["validation"],
        test=found.splits["test"],
        private=private,
        skip_bad=skip_bad,
        allow_duplicates=True,  # published benchmarks are what they are
        progress=progress,
    )


def differences(task: Task, record: TaskRecord) -> list[str]:
    """In what the images that were found differ from what the catalog says, for people to read."""
    found_differences = []
    if len(record["classes"]) != task.classes:
        found_differences.append(f"{len(record['classes']):,} classes, the catalog has {task.classes:,}")
    for part, expected in (task.sizes or {}).items():
        found = record["splits"][part]["examples"]
        if found != expected:
            found_differences.append(f"{found:,} {part} images, the catalog has {expected:,}")
    return found_differences


def _find(task: Task, data: Path | None, prefer: str | None) -> tuple[str | None, str]:
    """The address of a task, or None and why there is none."""
    if prefer is not None and prefer not in SCHEMES:
        raise InputError(f"--prefer {prefer}{suggest(prefer, SCHEMES)}: one of {', '.join(SCHEMES)}")
    reasons: dict[str, str] = {}
    for scheme in sorted(task.addresses, key=lambda scheme: scheme != prefer):
        template = task.addresses[scheme]
        reason = _remote_reason(task, scheme) if scheme in SCHEMES else _local_reason(template, data)
        if reason is None:
            return template.format(data=data), ""
        reasons[scheme] = reason
    if len(reasons) == 1 and not reasons.keys() & set(SCHEMES):
        return None, next(iter(reasons.values()))
    name = template_name(task.addresses["npz"])
    return None, f"{reasons.get('tfds', task.needs)}; or prepare {name}/train.npz and so on in the data folder"


def template_name(template: str) -> str:
    """The file or folder in the data folder that an address such as `npz:{data}/mnist` names."""
    return template.rpartition("{data}/")[2].partition("?")[0]


def _local_reason(template: str, data: Path | None) -> str | None:
    wanted = template_name(template) + ("/train.npz" if template.startswith("npz:") else "")
    if data is None:
        return f"say --data DIR or set {VARIABLE}: the folder that holds {wanted}"
    return None if (data / wanted).exists() else f"there is no {data / wanted}"


def _remote_reason(task: Task, scheme: str) -> str | None:
    """Why a set of the hub, or one that TFDS prepared, cannot be read; a missing network is not noticed."""
    if task.needs is not None:
        return task.needs
    if scheme == "hf":
        return None
    if find_spec("tensorflow_datasets") is None:
        return "TensorFlow Datasets is not installed (pip install 'munet-ml[tfds]')"
    name = task.addresses[scheme].removeprefix("tfds:").partition("?")[0]
    prepared = Path(os.environ.get("TFDS_DATA_DIR") or Path.home() / "tensorflow_datasets") / name
    if any(next(prepared.glob(pattern), None) for pattern in ("*/dataset_info.json", "*/*/dataset_info.json")):
        return None
    return f"not prepared: tfds build {name} --file_format=array_record"
