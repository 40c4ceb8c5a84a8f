"""`npz:FILE.npz`, or `npz:DIR`: numpy archives, or pairs of .npy files.

FILE.npz: arrays `train_image(s)` and `train_label(s)`, `x_train` and `y_train`, and so on for the other splits; plain
`image(s)` and `label(s)`, `X` and `y`, `data` and `target` are the split train. An array `classes`, `class_names` or
the like names the classes. DIR: each DIR/<split>.npz is a split and holds such a pair without names of splits.
`val.npz` means validation. Files without these arrays are left out. DIR/meta.json may name the classes in a list
`classes`, or by number. Where DIR holds no archive, the names of its .npy files are read as those of arrays. Images:
see `munet.tasks.arrays`.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from munet.errors import InputError
from munet.tasks.sources.arrays.meta import names_in_meta
from munet.tasks.sources.arrays.reading import Array, array_names, from_archive, from_npy
from munet.tasks.sources.arrays.roles import NAMES, find_roles
from munet.tasks.sources.arrays.source import ArraySource, Part
from munet.tasks.sources.others import matlab_line, read_otherwise
from munet.tasks.splits import ALIASES


class NpzSource(ArraySource):
    """Image and label arrays of numpy archives. See the module for the layouts."""

    scheme = "npz"

    def _find(self, path: Path) -> tuple[dict[str, Part], Sequence[str] | None]:
        if path.is_dir():
            return self._in_folder(path)
        if not path.is_file():
            raise InputError(f"{path}: there is no such folder or .npz file", kind="missing-file")
        if path.suffix.lower() == ".npy":
            raise InputError(
                f"{path}: one array alone: npz:{path.parent} reads pairs of files such as images.npy and labels.npy"
            )
        if path.suffix.lower() == ".mat":
            raise InputError(f"{path}: {matlab_line([path])}")
        names = array_names(path)
        parts = self._in_files({name: _of_archive(path, name) for name in names}, path)
        return parts, _class_names(path, names)

    def _in_folder(self, folder: Path) -> tuple[dict[str, Part], Sequence[str] | None]:
        archives, arrays = _listed(folder, ".npz"), _listed(folder, ".npy")
        names, notes = names_in_meta(folder / "meta.json")
        self._notes += notes
        if archives:
            return self._in_archives(folder, archives), names
        if not arrays:
            raise InputError(
                f"{folder}: no split found: there must be at least train.npz with the arrays image and label, or pairs "
                f"such as images.npy and labels.npy{read_otherwise(folder)}"
            )
        found = {file.stem: Array(file, "", partial(from_npy, file)) for file in arrays}
        known = next((_text(found[name]) for name in NAMES if name in found), None)
        return self._in_files(found, folder), known if known is not None else names

    def _in_archives(self, folder: Path, files: Sequence[Path]) -> dict[str, Part]:
        """Each archive is a split."""
        parts: dict[str, Part] = {}
        for file in files:
            split = ALIASES.get(file.stem, file.stem)
            if split in parts:
                first = parts[split].image.path.name
                raise InputError(f"{folder}: {first} and {file.name} are the same split: keep one of them")
            names = array_names(file)
            roles = find_roles(names, str(file), plain=True)
            if roles.splits:
                parts[split] = Part(*(_of_archive(file, name) for name in roles.splits["train"]))
            elif split in ("train", "validation", "test"):
                raise InputError(f"{file}: needs the arrays image and label, but holds {', '.join(names) or 'none'}")
        if not parts:
            whole = next((file for file in files if find_roles(array_names(file), str(file)).splits), None)
            hint = f": npz:{whole} reads the splits that this file holds" if whole else ""
            raise InputError(
                f"{folder}: no split found: there must be at least train.npz with the arrays image and label{hint}"
            )
        return parts

    def _in_files(self, arrays: dict[str, Array], where: Path) -> dict[str, Part]:
        """The arrays themselves say what they are."""
        roles = find_roles(arrays, str(where))
        if roles.splits:
            self._notes += [f"{lacks}: left out" for lacks in roles.alone.values()]
            return {split: Part(arrays[image], arrays[label]) for split, (image, label) in roles.splits.items()}
        if roles.alone:
            raise InputError(f"{where}: {next(iter(roles.alone.values()))}: {_call_them(arrays)}")
        raise InputError(
            f"{where}: needs the arrays train_image and train_label, or image and label, but holds "
            f"{', '.join(list(arrays)[:20]) or 'none'}"
        )


def _call_them(names: Iterable[str]) -> str:
    """What arrays must be called, and what they are called."""
    held = ", ".join(list(names)[:20])
    return f"call the two image and label, or train_image and train_label; there is {held}"


def _of_archive(file: Path, name: str) -> Array:
    return Array(file, name, partial(from_archive, file, name))


def _listed(folder: Path, suffix: str) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix == suffix and file.is_file())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from error


def _class_names(file: Path, names: Sequence[str]) -> tuple[str, ...] | None:
    found = next((name for name in NAMES if name in names), None)
    return None if found is None else _text(_of_archive(file, found))


def _text(array: Array) -> tuple[str, ...]:
    """Names of classes; those stored as bytes are UTF-8."""
    names = array.read()
    if names.dtype.kind == "S":
        try:
            return tuple(name.decode() for name in names.ravel().tolist())
        except UnicodeDecodeError as error:
            raise InputError(f"{array} holds names that are not UTF-8: store text") from error
    return tuple(str(name) for name in names.ravel().tolist())
