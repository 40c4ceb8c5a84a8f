"""Which source reads the files of a folder: said where the one that was asked cannot."""

import re
from pathlib import Path

from munet.tasks.sources.table.read import FORMATS, suffix_of
from munet.tasks.sources.walk import files_in

_READ_BY = (
    ("idx", re.compile(r".*-idx\d-ubyte(\.gz)?", re.IGNORECASE)),
    ("cifar", re.compile(r"data_batch_\d(\.bin)?|(train|test)\.bin")),
    ("npz", re.compile(r".*\.np[zy]")),
    ("mat", re.compile(r".*\.mat", re.IGNORECASE)),
    ("wds", re.compile(r".*\.tar")),
    ("hf", re.compile(r".*\.parquet|dataset_dict\.json|state\.json")),
)


def read_otherwise(folder: Path) -> str:
    """` (idx:DIR reads the files there)`, or an empty string where nothing is known to."""
    try:
        files = files_in(folder)
    except OSError:
        return ""
    for scheme, name in _READ_BY:
        if any(name.fullmatch(file.name) for file in files):
            return f" ({scheme}:{folder} reads the files there)"
    tables = [file for file in files if suffix_of(file) in FORMATS and file.stem.lower() != "readme"]
    return f" (csv:{tables[0]} reads the table there)" if tables else ""
