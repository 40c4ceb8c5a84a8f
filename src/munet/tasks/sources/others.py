"""Which source reads the files of a folder: said where the one that was asked cannot."""

import re
from collections.abc import Sequence
from pathlib import Path

from munet.errors import InputError
from munet.tasks.sources.table.read import FORMATS, suffix_of
from munet.tasks.sources.walk import files_in, folders_in
from munet.tasks.split_names import in_grammar, match_splits

_READ_BY = (
    ("idx", re.compile(r".*-idx\d-ubyte(\.gz)?", re.IGNORECASE)),
    ("cifar", re.compile(r"data_batch_\d(\.bin)?|(train|test)\.bin")),
    ("npz", re.compile(r".*\.np[zy]")),
    ("wds", re.compile(r".*\.tar")),
    ("hf", re.compile(r".*\.(parquet|arrow)|dataset_dict\.json|state\.json")),
)


def read_otherwise(folder: Path) -> str:
    """` (idx:DIR reads the files there)`, or an empty string where nothing is known to. Where the folder holds but one
    other folder, that is looked into as well."""
    try:
        files, folders = files_in(folder), folders_in(folder)
    except (OSError, InputError):
        return ""
    found = _read_by_another(folder, files)
    return found or (read_otherwise(folders[0]) if len(folders) == 1 else "")


def _read_by_another(folder: Path, files: Sequence[Path]) -> str:
    for scheme, name in _READ_BY:
        if any(name.fullmatch(file.name) for file in files):
            return f" ({scheme}:{folder} reads the files there)"
    if matlab := [file for file in files if file.suffix.lower() == ".mat"]:
        return f" ({matlab_line(matlab)})"
    tables = [file for file in files if suffix_of(file) in FORMATS and file.stem.lower() != "readme"]
    return f" (csv:{tables[0]} reads the table there)" if tables else ""


def matlab_line(files: Sequence[Path]) -> str:
    """How to make numpy archives of MATLAB files that hold `X` and `y` as those of SVHN do.

    munet does not read them: damaged ones crash the process that scipy reads them in.
    """
    known = match_splits(file.stem for file in files)
    to = {known.get(file.stem, "train" if len(files) == 1 else in_grammar(file.stem)): str(file) for file in files}
    pairs = {str(files[0].parent / f"{split}.npz"): file for split, file in to.items()}
    with files[0].open("rb") as file:
        newer = file.read(10) == b"MATLAB 7.3"  # HDF5, whose axes are the other way round
    module, read = ("h5py", "h5py.File(of)") if newer else ("scipy.io", "scipy.io.loadmat(of)")
    axes = (0, 3, 2, 1) if newer else (3, 0, 1, 2)
    saved = f"numpy.savez(to, image=numpy.array(m['X']).transpose{axes}, label=numpy.array(m['y']).ravel())"
    each = f"for to, m in ((to, {read}) for to, of in {pairs}.items())"
    line = f'python -c "import numpy, {module}; [{saved} {each}]"'
    return f"MATLAB files: {line} makes archives that npz:{files[0].parent} reads"
