"""`hf:NAME[:CONFIG]` or `hf:PATH`: what the `datasets` library reads.

NAME is a data set of the Hugging Face hub; PATH is a Parquet file, a folder of Parquet files or images, or what
`save_to_disk` wrote. Options: `image=` and `label=` name the columns where there are several, `revision=` pins the
hub's version. Examples keep the order of the data set. Dataset scripts are not run (`datasets` 4 dropped them).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from munet.errors import InputError, suggest
from munet.hub import patient
from munet.tasks.images import read_bytes
from munet.tasks.sources.base import Item, Source, Unusable, absolute, train_first
from munet.tasks.splits import ALIASES

if TYPE_CHECKING:
    import datasets

_IMAGE_NAMES, _LABEL_NAMES = ("image", "images", "img", "pixels"), ("label", "labels", "class", "target")
_BATCH = 64


class HuggingFaceSource(Source):
    """A data set read by `datasets`. See the module for the addresses."""

    scheme = "hf"
    options_known = ("image", "label", "order", "revision")

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        local = path.exists()
        super().__init__(str(path) if local else location, options)
        if not local and location.startswith(("/", ".", "~")):
            raise InputError(f"{path}: there is no such file or folder")
        loaded = _load(path if local else None, location, self.options.get("revision"), self.address)
        self._splits = {ALIASES.get(str(name), str(name)): split for name, split in loaded.items()}
        features = next(iter(self._splits.values())).features
        self._image = _choose("image", self.options.get("image"), features, self.address)
        self._label = _choose("label", self.options.get("label"), features, self.address)
        self._raw = {name: _column(split, self._label) for name, split in self._splits.items()}
        self._classes = _class_names(features[self._label], self._raw, self.address)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def counts(self) -> dict[str, int]:
        return train_first({name: len(split) for name, split in self._splits.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        values = self._raw[split]
        if values and isinstance(values[0], str):
            number = {name: label for label, name in enumerate(self._classes)}
            return np.array([number.get(value, -1) for value in values], np.int64)
        labels = np.array([-1 if value is None else value for value in values], np.int64)
        if len(labels) and labels.min() < 0:
            row = int(np.argmax(labels < 0))
            raise InputError(
                f"{self.stored_name(split, row)}: label {values[row]}: the labels of {split} seem to be hidden, "
                f"choose other examples, for instance --{split} 'train[:10%]'"
            )
        return labels

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        images = _undecoded(self._splits[split], self._image)
        for first in range(0, len(rows), _BATCH):
            chunk = list(rows[first : first + _BATCH])
            for row, value in zip(chunk, images[chunk][self._image], strict=True):
                yield self._item(value, self.stored_name(split, row))

    def _item(self, value: Any, name: str) -> Item:
        if isinstance(value, bytes):
            return value
        if isinstance(value, dict) and value.get("bytes") is not None:
            return value["bytes"]
        if isinstance(value, dict) and value.get("path"):
            return read_bytes(Path(value["path"]))
        return Unusable(b"", f"{name}: holds no image")

    def stored_name(self, split: str, row: int) -> str:
        return f"{self.scheme}:{self.location} {split}[{row}]"


def _load(path: Path | None, name: str, revision: str | None, address: str) -> Mapping[Any, "datasets.Dataset"]:
    """Splits by name; every way in which `datasets` fails becomes one line."""
    import datasets

    shown = datasets.utils.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        loaded = _load_local(path) if path else _load_hub(name, revision)
    except Exception as error:  # `datasets` raises types of its own and of all it builds on
        raise InputError(_explain(error, address)) from error
    finally:
        if not shown:
            datasets.enable_progress_bars()
    return {"train": loaded} if isinstance(loaded, datasets.Dataset) else loaded


def _load_local(path: Path) -> Any:
    import datasets

    if path.is_file():
        return datasets.load_dataset("parquet", data_files=str(path))
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return datasets.load_from_disk(str(path))
    return datasets.load_dataset(str(path))


def _load_hub(name: str, revision: str | None) -> Any:
    import datasets

    repository, _, config = name.partition(":")
    with patient():
        return datasets.load_dataset(repository, config or None, revision=revision)


def _explain(error: Exception, address: str) -> str:
    reason = " ".join(str(error).split())
    if "scripts are no longer supported" in reason:
        return (
            f"{address}: this is a dataset script, which is code and is never run: use its Parquet files "
            "(often in the branch of '?revision=refs/convert/parquet'), or convert it with "
            "'datasets-cli convert_to_parquet' of datasets < 4"
        )
    if isinstance(error, ConnectionError):
        return f"{address}: the hub cannot be reached and the data is not in the local cache ({reason[:120]})"
    return f"{address}: cannot be read: {reason[:300] or type(error).__name__}"


def _choose(role: str, wanted: str | None, features: Mapping[str, Any], address: str) -> str:
    """The column that holds the images or the labels."""
    listed = ", ".join(features)
    if wanted is not None:
        if wanted not in features:
            raise InputError(f"{address}: there is no column '{wanted}'{suggest(wanted, features)}: there is {listed}")
        return wanted
    kind = "Image" if role == "image" else "ClassLabel"
    found = [name for name, feature in features.items() if type(feature).__name__ == kind]
    usual = _IMAGE_NAMES if role == "image" else _LABEL_NAMES
    if len(found) > 1:  # several of the type: the usual name decides, when exactly one has it
        found = [name for name in found if name in usual] if sum(name in usual for name in found) == 1 else found
    found = found or [name for name in usual if name in features][:1]
    if len(found) != 1:
        several = f"several columns could be the {role}: {', '.join(found)}" if found else f"no column is the {role}"
        raise InputError(f"{address}: {several}: say ?{role}=COLUMN, one of {listed}")
    return found[0]


def _column(split: "datasets.Dataset", name: str) -> list[Any]:
    if name not in split.column_names:
        return [None] * len(split)
    return list(split.select_columns([name])[:][name])


def _class_names(feature: Any, raw: Mapping[str, Sequence[Any]], address: str) -> tuple[str, ...]:
    if type(feature).__name__ == "ClassLabel":
        return tuple(feature.names)
    values = {value for column in raw.values() for value in column if value is not None}
    if values and all(isinstance(value, str) for value in values):
        return tuple(sorted(values))
    if not values or not all(isinstance(value, int) for value in values):
        raise InputError(f"{address}: labels must be whole numbers or names: say ?label=COLUMN for another column")
    return tuple(str(label) for label in range(max(values) + 1))


def _undecoded(split: "datasets.Dataset", name: str) -> "datasets.Dataset":
    """`split` with the image column alone, as bytes or paths."""
    import datasets

    images = split.select_columns([name])
    if type(split.features[name]).__name__ == "Image":
        return images.cast_column(name, datasets.Image(decode=False))
    return images
