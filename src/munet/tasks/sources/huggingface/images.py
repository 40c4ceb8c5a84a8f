"""What a column of images holds: files, bytes, arrays or base64; and how to convert what it must not hold."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from munet.errors import InputError
from munet.tasks.images import read_bytes
from munet.tasks.sources.base import Item, Unusable
from munet.tasks.sources.table.read import FORMATS, suffix_of
from munet.tasks.split_names import match_splits

if TYPE_CHECKING:
    import datasets

_LONGEST_PATH = 1024


@dataclass(frozen=True)
class Column:
    """A column that is to hold the images of the data set at `address`; `path` is where that lies on this machine, if
    it does. `first` is the first value that is there, `label` the column of the labels."""

    name: str
    feature: Any
    first: Any
    label: str
    address: str
    path: Path | None


def stored_values(split: "datasets.Dataset", name: str, rows: Sequence[int]) -> list[Any]:
    """The values of a column as they are stored: no image is decoded."""
    return split.select_columns([name]).with_format("arrow")[list(rows)][name].to_pylist()


def image_item(value: Any, name: str) -> Item:
    """A stored value of a column of images as a source hands it out."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        value = value[0]
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict) and value.get("bytes") is not None:
        return value["bytes"]
    if isinstance(value, dict) and value.get("path"):
        return read_bytes(Path(value["path"]))
    if isinstance(value, list) and value:
        return _pixels(value, name)
    if isinstance(value, str) and (data := _from_base64(value)) is not None:
        return data
    return Unusable(b"", f"{name}: holds no image")


def _pixels(value: list[Any], name: str) -> Item:
    """Rows of numbers 0 to 255, of one channel or of 1, 3 or 4."""
    try:
        array = np.array(value, np.uint8)
    except (ValueError, TypeError, OverflowError) as error:
        return Unusable(repr(value).encode(), f"{name}: holds no image ({error})")
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        return Unusable(array.tobytes(), f"{name}: holds numbers of shape {array.shape}, no image")
    from munet.tasks.images import decode_image

    return decode_image(array, name=name)


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if len(text) > _LONGEST_PATH else None
    except (binascii.Error, ValueError):
        return None


def refuse_column(column: Column) -> None:
    """InputError, with a conversion, where a column holds no images that can be read one by one."""
    feature, first = column.feature, column.first
    kind, inner = type(feature).__name__, getattr(feature, "feature", None)
    what = f"{column.address}: column '{column.name}' holds"
    if isinstance(first, str) and _from_base64(first) is None:
        raise InputError(f"{what} paths such as '{first[:80]}', not images: {_as_table(column)}")
    if isinstance(first, list) and len(first) > 1 and isinstance(first[0], dict | bytes):
        raise InputError(
            f"{what} {len(first)} images for an example: a task has one, say ?image=COLUMN for another column"
        )
    if kind in ("Array2D", "Array3D"):
        shape = tuple(feature.shape)
        if feature.dtype == "uint8" and (len(shape) == 2 or shape[2] in (1, 3, 4)):
            return
        axes = ".transpose(0, 2, 3, 1)" if len(shape) == 3 and shape[0] in (1, 3, 4) and shape[2] > 4 else ""
        raise InputError(f"{what} arrays {shape} of {feature.dtype}: {_as_arrays(column, axes)}")
    if isinstance(first, list) and type(inner).__name__ == "Value":
        side = isqrt(len(first))
        height, width = (side, side) if side * side == len(first) else ("HEIGHT", "WIDTH")
        shaped = _as_arrays(column, f".reshape(-1, {height}, {width})")
        raise InputError(f"{what} lists of {len(first)} numbers: {shaped}")


def _as_table(column: Column) -> str:
    """How to read a table of paths."""
    path = column.path
    if path is None:
        return "download the images, and write a table of files and labels, csv:FILE"
    if path.is_file():
        return f"csv:{path} reads them"
    tables = [file for file in sorted(path.rglob("*")) if suffix_of(file) in FORMATS and file.is_file()]
    if len(tables) == 1:
        return f"csv:{tables[0]} reads them"
    if match_splits(file.name.partition(".")[0] for file in tables if file.parent == path):
        return f"csv:{path} reads them"
    saved = _python(column, "d.to_csv('images.csv')")
    return f"{saved}, and csv:images.csv?root=DIR reads them"


def _as_arrays(column: Column, shape: str) -> str:
    """How to make numpy arrays of numbers."""
    images, labels = f"numpy.array(d['{column.name}']){shape}", f"numpy.array(d['{column.label}'])"
    saved = _python(column, f"numpy.savez('images.npz', image={images}, label={labels})")
    return f"{saved}, and npz:images.npz reads them"


def _python(column: Column, statement: str) -> str:
    path, split = column.path, "['train']"
    if path is None:
        loading = f"datasets.load_dataset('{column.address.partition(':')[2].partition('?')[0]}'){split}"
    elif path.is_file():
        loading = f"datasets.load_dataset('parquet', data_files='{path}'){split}"
    elif (path / "dataset_dict.json").is_file():
        loading = f"datasets.load_from_disk('{path}'){split}"
    elif (path / "state.json").is_file():
        loading = f"datasets.load_from_disk('{path}')"
    else:
        loading = f"datasets.load_dataset('{path}'){split}"
    return f'python -c "import datasets, numpy; d = {loading}; {statement}"'
