"""Named arrays of one numpy archive; what is wrong with it in one line."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError


def read_arrays(file: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays `names` of `file`, equal in length.

    InputError where the file or an array is missing or damaged, holds pickled objects, or lengths differ.
    """
    try:
        # opened here, because numpy leaves a file open that turns out to be no archive
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            absent = [name for name in names if name not in archive.files]
            if absent:
                raise InputError(
                    f"{file}: needs the arrays {', '.join(names)}, but {', '.join(absent)} "
                    f"{'is' if len(absent) == 1 else 'are'} missing; it holds {', '.join(archive.files) or 'none'}"
                )
            arrays = {name: archive[name] for name in names}
    except (ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{file}: not a numpy archive of plain arrays, or damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    lengths = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{count} in {name}" for name, count in lengths.items())
        raise InputError(f"{file}: the arrays differ in length: {listed}")
    return arrays
