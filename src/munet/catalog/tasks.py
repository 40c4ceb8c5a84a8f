"""Tasks and benchmarks as `catalog/*.toml` describes them. Needs neither torch nor numpy nor datasets."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from munet.tasks.splits import PARTS

_PLAIN = ("classes", "needs", "note", "about", "stands_for", "validation_from")
_ADDRESSES = ("npz", "tfds", "hf")
_CITED = (*_PLAIN[:-1], "sizes", "reference", *_ADDRESSES[1:])
LOCAL = "local"  # the group of sets that are read from a folder only
_WHOLE: dict[str, str] = {part: part for part in PARTS}


@dataclass(frozen=True)
class Task:
    """An image classification task of a benchmark, and where its images can be had.

    `splits` are the expressions for `tfds:` and `hf:` data (hf_splits, where that differs); a prepared `npz:` folder
    has the three splits as files, see `splits_at`. Accuracies in `reference` lie from 0 to 1; None is not known.
    """

    name: str
    """Name in a system; see `munet.tasks.check_name`."""
    title: str
    """Name in the paper, or of the image set."""
    group: str
    classes: int
    """Outputs of the head. Labels that never occur count too, as in the papers."""
    splits: Mapping[str, str]
    """Expressions by part: train, validation, test."""
    addresses: Mapping[str, str]
    """Address templates by scheme, the best first: npz, folder or csv, tfds, hf. `{data}` is the folder that a person
    gives."""
    hf_splits: Mapping[str, str] | None = None
    validation_from: str | None = None
    """TFDS name of another set that `splits["validation"]` is of."""
    sizes: Mapping[str, int] | None = None
    """Examples by part with `splits`."""
    reference: Mapping[str, float | None] = field(default_factory=dict)
    """Accuracies that a paper reports, for validation and test."""
    needs: str | None = None
    """What munet's `tfds:` and `hf:` sources cannot do and this task needs; then only a prepared folder serves."""
    note: str | None = None
    """What must be said wherever a number of this task appears."""
    about: str | None = None
    stands_for: str | None = None
    """Title of the task of the papers that a local set replaces."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where the value of each field comes from."""

    def splits_at(self, address: str) -> dict[str, str]:
        """The split expressions for `System.add_task` when the images come from `address`."""
        if address.startswith("npz:") or self.group == LOCAL:
            return dict(_WHOLE)
        if address.startswith("hf:") and self.hf_splits is not None:
            return dict(self.hf_splits)
        return dict(self.splits)

    def shown_split(self, part: str) -> str:
        """The expression as the paper prints it, with the name of the other set where there is one."""
        other = f"{self.validation_from}:" if part == "validation" and self.validation_from else ""
        return other + self.splits[part]


@dataclass(frozen=True)
class Benchmark:
    """Tasks in the order in which they are introduced, and the root that they grow from."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    family: str
    """Which published budgets fit: characters, decathlon, large or photographs (none)."""
    root: str
    """Address for `System.create`; `{data}` in it is the folder that a person gives."""
    depth: int
    """Blocks of the root."""
    image_size: int
    """Pixels a side."""
    source: str
    weights: str | None = None
    """File of the root's weights, where they are not downloaded; `{data}` as in `root`."""
    note: str | None = None


@cache
def read_file(name: str) -> dict[str, Any]:
    """`catalog/NAME.toml` as plain values."""
    return tomllib.loads(files("munet.catalog").joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@cache
def read_tasks(name: str, variant: str | None = None) -> tuple[Task, ...]:
    """The tasks of one file of the catalog, with the values of `variant` where a task has one."""
    values = read_file(name)
    return tuple(_task(row, values, variant) for row in values["task"])


def pick(words: list[str], variant: str | None) -> Iterator[Task]:
    """The tasks that FILE or FILE/TASK name, in this order."""
    for word in words:
        name, _, only = word.partition("/")
        yield from (task for task in read_tasks(name, variant) if only in ("", task.name))


def _task(row: Mapping[str, Any], values: Mapping[str, Any], variant: str | None) -> Task:
    own = {**values["from"], **row.get("source", {})}
    if variant and variant in row:
        own |= row[variant].get("source", {})
        row = {**row, **row[variant]}
    addresses = {other: f"{other}:{row[other]}" for other in _ADDRESSES[1:] if other in row}
    own_files: str = row.get("address", f"npz:{{data}}/{row.get('folder', row['name'])}")
    scheme = own_files.partition(":")[0]
    if scheme != "npz":
        own |= {scheme: own["npz"]}
    cited = {key for key in _CITED if key in row} | {"splits", *([scheme] if values["group"] == LOCAL else [])}
    reference = row.get("reference")
    return Task(
        name=row["name"],
        title=row.get("title", row["name"]),
        group=values["group"],
        splits=_parts(row.get("splits")) or _WHOLE,
        hf_splits=_parts(row.get("hf_splits")),
        sizes=_parts(row.get("sizes")),
        reference={part: reference.get(part) for part in PARTS[1:]} if reference else {},
        addresses={scheme: own_files} | addresses,
        sources={key: _cited(own[key], values["sources"]) for key in sorted(cited)},
        **{key: row[key] for key in _PLAIN if key in row},
    )


def _parts(values: list[Any] | None) -> dict[str, Any] | None:
    return None if values is None else dict(zip(PARTS, values, strict=True))


def _cited(keys: str, legend: Mapping[str, str]) -> str:
    """`plus, code` as what the legend of the file says of each."""
    return "; ".join(legend[key.strip()] for key in keys.split(","))
