"""Named arrays of one numpy archive; what is wrong with it in one line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.tasks.sources.arrays.reading import array_names, from_archive


def read_arrays(file: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays `names` of `file`, equal in length.

    InputError where the file or an array is missing or damaged, holds pickled objects, or lengths differ.
    """
    held = array_names(file)
    absent = [name for name in names if name not in held]
    if absent:
        raise InputError(
            f"{file}: needs the arrays {', '.join(names)}, but {', '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} missing; it holds {', '.join(held) or 'none'}"
        )
    arrays = {name: from_archive(file, name) for name in names}
    lengths = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{count} in {name}" for name, count in lengths.items())
        raise InputError(f"{file}: the arrays differ in length: {listed}")
    return arrays
