"""The drawings of Omniglot (Lake, Salakhutdinov, Tenenbaum 2015), alphabet by alphabet, checked to be complete.

Two layouts of a folder are read:

    train.npz, evaluation.npz                arrays image uint8 (N, 105, 105), alphabet (rank among the 50 names in
                                             alphabetical order), character (from 0), drawer (1 to 20)
    images_background, images_evaluation     as published: ALPHABET/characterNN/XXXX_DRAWER.png

Strokes are black (0) on white (255). small1 and small2 are copies of part of the background set: validation.npz and
test.npz, or images_background_small1 and images_background_small2.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from munet.allocation.data.archives import read_arrays
from munet.errors import InputError
from munet.tasks.images import decode_image

SIDE = 105
DRAWINGS = 20  # of each character, one by each drawer
_FILES, _FOLDERS = ("train.npz", "evaluation.npz"), ("images_background", "images_evaluation")
_COPY_FILES, _COPY_FOLDERS = ("validation.npz", "test.npz"), ("images_background_small1", "images_background_small2")


class Alphabet(NamedTuple):
    """`rank` is its place among the 50 names of Omniglot in alphabetical order; `characters` its number of classes."""

    name: str
    rank: int
    characters: int


class _Part(NamedTuple):
    """Some drawings: images uint8 (N, 105, 105), character and drawer int64 (N,)."""

    image: np.ndarray
    character: np.ndarray
    drawer: np.ndarray


def read_drawings(folder: Path, alphabets: Sequence[Alphabet]) -> dict[str, np.ndarray]:
    """Of each alphabet all drawings uint8 (20 characters, 105, 105), ordered by character, then drawer.

    InputError where one is missing or there are others.
    """
    parts = _read(folder, alphabets, _FILES, _FOLDERS)
    return {alphabet.name: _ordered(folder, alphabet, parts[alphabet.name]) for alphabet in alphabets}


def read_copies(folder: Path, alphabets: Sequence[Alphabet], drawings: dict[str, np.ndarray]) -> frozenset[str]:
    """Names of the alphabets that small1 and small2 repeat. InputError unless they repeat `drawings` exactly."""
    parts = _read(folder, alphabets, _COPY_FILES, _COPY_FOLDERS)
    copied = [alphabet for alphabet in alphabets if any(len(part.image) for part in parts[alphabet.name])]
    for alphabet in copied:
        if not np.array_equal(_ordered(folder, alphabet, parts[alphabet.name]), drawings[alphabet.name]):
            raise InputError(f"{folder}: {alphabet.name} in small1 or small2 is no copy of its background images")
    return frozenset(alphabet.name for alphabet in copied)


def check_distinct(folder: Path, alphabet: Alphabet, images: np.ndarray) -> None:
    """InputError where two drawings of an alphabet are the same image, which could be trained on and tested with."""
    seen: dict[bytes, int] = {}
    for index, image in enumerate(images):
        other = seen.setdefault(image.tobytes(), index)
        if other != index:
            raise InputError(
                f"{folder}: {alphabet.name} holds one image twice, as {_name(other)} and as {_name(index)}: "
                "remove the copy"
            )


def _name(index: int) -> str:
    return f"character {index // DRAWINGS} by drawer {index % DRAWINGS + 1}"


def _read(
    folder: Path, alphabets: Sequence[Alphabet], files: Sequence[str], folders: Sequence[str]
) -> dict[str, list[_Part]]:
    """What either layout holds of each alphabet, in two parts."""
    parts: dict[str, list[_Part]] = {alphabet.name: [] for alphabet in alphabets}
    archives = (folder / _FILES[0]).is_file()
    for file, pictures in zip(files, folders, strict=True):
        read = _archived(folder / file, alphabets) if archives else _pictured(folder / pictures, alphabets)
        for name, part in read:
            parts[name].append(part)
    return parts


def _archived(file: Path, alphabets: Sequence[Alphabet]) -> Iterator[tuple[str, _Part]]:
    arrays = read_arrays(file, ("image", "alphabet", "character", "drawer"))
    image = arrays["image"]
    if image.dtype != np.uint8 or image.shape[1:] != (SIDE, SIDE):
        raise InputError(
            f"{file}: 'image' of shape {image.shape} and type {image.dtype}, but Omniglot has uint8 (N, {SIDE}, {SIDE})"
        )
    for alphabet in alphabets:
        own = arrays["alphabet"] == alphabet.rank
        yield alphabet.name, _Part(image[own], arrays["character"][own], arrays["drawer"][own])


def _pictured(folder: Path, alphabets: Sequence[Alphabet]) -> Iterator[tuple[str, _Part]]:
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder: unpack {folder.name}.zip of Omniglot there", kind="missing-file"
        )
    for alphabet in alphabets:
        files = sorted((folder / alphabet.name).glob("character[0-9]*/*_[0-9]*.png"))
        images = np.empty((len(files), SIDE, SIDE), np.uint8)
        for row, file in enumerate(files):
            image = decode_image(file)
            if image.shape != (SIDE, SIDE, 1):
                raise InputError(f"{file}: {' x '.join(map(str, image.shape))}, but Omniglot has {SIDE} x {SIDE} x 1")
            images[row] = image[..., 0]
        character = [_number(file, file.parent.name.removeprefix("character")) - 1 for file in files]
        drawer = [_number(file, file.stem.rpartition("_")[2]) for file in files]
        yield alphabet.name, _Part(images, np.array(character, np.int64), np.array(drawer, np.int64))


def _number(file: Path, text: str) -> int:
    if not text.isdecimal():
        raise InputError(f"{file}: the name must be characterNN/XXXX_DRAWER.png")
    return int(text)


def _ordered(folder: Path, alphabet: Alphabet, parts: Sequence[_Part]) -> np.ndarray:
    """All images of an alphabet; InputError unless they are every drawer's drawing of every character."""
    image, character, drawer = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((drawer, character))
    characters = np.repeat(np.arange(alphabet.characters), DRAWINGS)
    drawers = np.tile(np.arange(1, DRAWINGS + 1), alphabet.characters)
    if not (np.array_equal(character[order], characters) and np.array_equal(drawer[order], drawers)):
        counts = np.unique(character, return_counts=True)[1]
        each = f"with {counts.min()} to {counts.max()} images" if len(counts) else "and so no image"
        raise InputError(
            f"{folder}: {alphabet.name} (alphabet {alphabet.rank}) has {len(counts)} characters {each}, "
            f"but must have {alphabet.characters} with {DRAWINGS}, one by each drawer"
        )
    return image[order]
