"""`tfds:NAME[/CONFIG][:VERSION]` or `tfds:PATH`: data that TensorFlow Datasets prepared, read without TensorFlow.

Needs the extra `munet-ml[tfds]`, and data prepared in a format with random access (array_record):
`tfds build NAME --file_format=array_record`, or `builder.download_and_prepare(file_format="array_record")`, once, on
any machine. PATH is the folder of one prepared version. Options: `data_dir=` (where prepared data lies, by default
~/tensorflow_datasets), `image=` and `label=` (features, by default the supervised pair). The order is TFDS's own, which
was shuffled when the data was prepared.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from munet.errors import InputError, suggest
from munet.tasks.sources.base import Item, Source, Unusable, absolute, train_first
from munet.tasks.sources.numbering import NO_CLASS
from munet.tasks.splits import ALIASES


class TfdsSource(Source):
    """A prepared TFDS data set. See the module for the addresses."""

    scheme = "tfds"
    options_known = ("data_dir", "image", "label", "order", "white")

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        local = (path / "dataset_info.json").is_file()
        options = dict(options)
        if "data_dir" in options:
            options["data_dir"] = str(absolute(options["data_dir"]))
        super().__init__(str(path) if local else location, options)
        self._tfds = _import_tfds(self.address)
        self._builder = self._open(str(path) if local else None)
        self._image, self._label = self._choose()
        self._names = {ALIASES.get(str(name), str(name)): str(name) for name in self._builder.info.splits}
        self._labels: dict[str, np.ndarray] = {}

    def _open(self, path: str | None) -> Any:
        try:
            if path:
                return self._tfds.builder_from_directory(path)
            return self._tfds.builder(self.location, data_dir=self.options.get("data_dir"), try_gcs=False)
        except Exception as error:  # unknown name, other version, unreadable files: TFDS has many types
            reason = " ".join(str(error).split())
            raise InputError(f"{self.address}: cannot be opened: {reason[:160] or type(error).__name__}") from error

    def _choose(self) -> tuple[str, str]:
        features = self._builder.info.features
        pair = self._builder.info.supervised_keys or ("image", "label")
        chosen = [self.options.get("image", pair[0]), self.options.get("label", pair[1])]
        for role, name in zip(("image", "label"), chosen, strict=True):
            if not isinstance(name, str) or name not in features:
                hint = suggest(str(name), features)
                raise InputError(
                    f"{self.address}: no feature '{name}'{hint}: say ?{role}=, one of {', '.join(features)}"
                )
        return chosen[0], chosen[1]

    @property
    def classes(self) -> tuple[str, ...]:
        feature = self._builder.info.features[self._label]
        names = getattr(feature, "names", None)
        if names:
            return tuple(names)
        if getattr(feature, "num_classes", None):
            return tuple(str(label) for label in range(feature.num_classes))
        raise InputError(f"{self.address}: '{self._label}' is no class label: say ?label=FEATURE")

    def counts(self) -> dict[str, int]:
        splits = self._builder.info.splits
        counts = {split: int(splits[name].num_examples) for split, name in self._names.items()}
        if not any(counts.values()):
            raise InputError(
                f"{self.address}: no prepared data in {self._builder.data_dir}: prepare it with a network by "
                f"'tfds build {self.location} --file_format=array_record', and say ?data_dir=DIR"
            )
        return train_first({split: count for split, count in counts.items() if count})

    def stored_labels(self, split: str) -> np.ndarray:
        if split not in self._labels:
            # The image stays encoded, so this reads the records but decodes nothing.
            records = self._records(split)
            labels = np.array([int(self._fetch(records, row)[self._label]) for row in range(len(records))], np.int64)
            self._labels[split] = np.maximum(labels, NO_CLASS)
        return self._labels[split]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        records = self._records(split)
        for row in rows:
            value = self._fetch(records, row)[self._image]
            yield value if isinstance(value, bytes) else Unusable(b"", f"{self.stored_name(split, row)}: no image")

    def stored_name(self, split: str, row: int) -> str:
        return f"{self.scheme}:{self.location} {split}[{row}]"

    def _records(self, split: str) -> Any:
        """Random access to the records of a split, the image as the encoded bytes."""
        decoders = {self._image: self._tfds.decode.SkipDecoding()}
        try:
            return self._builder.as_data_source(split=self._names[split], decoders=decoders)
        except Exception as error:  # tfrecord files, missing shards, array_record not installed
            raise InputError(self._unreadable(error)) from error

    def _fetch(self, records: Any, row: int) -> Any:
        try:
            return records[row]
        except Exception as error:  # a shard that is missing or damaged shows only when it is read
            raise InputError(self._unreadable(error)) from error

    def _unreadable(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        return f"{self.address}: cannot be read at random ({reason}): prepare it with file_format=array_record"


def _import_tfds(address: str) -> Any:
    try:
        import tensorflow_datasets  # type: ignore[import-not-found]
    except ImportError as error:
        raise InputError(
            f"{address}: needs TensorFlow Datasets: pip install 'munet-ml[tfds]'", kind="missing-extra"
        ) from error
    return tensorflow_datasets
