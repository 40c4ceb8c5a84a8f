"""Omniglot-20: twenty alphabets, each a task of telling its characters apart (arXiv 1910.04915, sec. 5.2).

The published loader takes small1 and small2 of Omniglot for further drawings, but they are copies of images in its
background set: four alphabets then hold every image twice, and half of their test images are also trained on. Here
every character has its 20 drawings once; `duplicates="paper"` puts the copies back.
"""

from pathlib import Path

import numpy as np

from munet.allocation.data.drawings import DRAWINGS, SIDE, Alphabet, check_distinct, read_copies, read_drawings
from munet.allocation.data.examples import Examples
from munet.allocation.data.resizing import by_area
from munet.allocation.data.sets import folder_of, missing
from munet.allocation.data.tasks import PARTS, TaskData
from munet.errors import InputError, suggest

DUPLICATES = ("none", "paper")

ALPHABETS = tuple(
    Alphabet(*row)
    for row in (
        ("Gujarati", 22, 48),
        ("Sylheti", 42, 28),
        ("Arcadian", 3, 26),
        ("Tibetan", 47, 42),
        ("Old_Church_Slavonic_(Cyrillic)", 39, 45),
        ("Angelic", 1, 20),
        ("Malay_(Jawi_-_Arabic)", 32, 40),
        ("Sanskrit", 41, 42),
        ("Cyrillic", 15, 33),
        ("Anglo-Saxon_Futhorc", 2, 29),
        ("Syriac_(Estrangelo)", 43, 23),
        ("Ge_ez", 18, 26),
        ("Japanese_(katakana)", 27, 47),
        ("Keble", 29, 26),
        ("Manipuri", 34, 40),
        ("Alphabet_of_the_Magi", 0, 20),
        ("Gurmukhi", 23, 45),
        ("Korean", 30, 40),
        ("Early_Aramaic", 16, 22),
        ("Atemayar_Qelisayer", 6, 26),
    )
)
"""In the order of the paper; 668 characters."""

_NOTE = "every image is there twice, as in the published loader: about half of the test images are also trained on"


def omniglot20(
    data: Path | None = None,
    *,
    seed: int = 0,
    alphabets: int = len(ALPHABETS),
    image_size: int = SIDE,
    invert: bool = True,
    duplicates: str = "none",
) -> list[TaskData]:
    """The first `alphabets` alphabets; of each character 10 drawings to train on, 4 for validation, 6 for the test.

    Images are `image_size` pixels square, shrunk by area averaging where that is less than 105; with `invert` strokes
    are 1 on 0, as published, else 0 on 1. The split is drawn by a numpy generator that is seeded with the alphabet's
    rank, so it is the same for every `seed`. `duplicates="paper"` gives the published, leaky split.

    `data`/omniglot holds what `munet.allocation.data.drawings` reads. InputError where that is missing or wrong.
    """
    _check_options(alphabets, image_size, duplicates)
    reason = missing("omniglot", data)
    if reason is not None and missing("omniglot", data, "images_background") is not None:
        raise InputError(f"Omniglot cannot be had: {reason}, and no folder images_background either")
    folder, chosen = folder_of("omniglot", data), ALPHABETS[:alphabets]
    drawings = read_drawings(folder, chosen)
    copied = read_copies(folder, chosen, drawings) if duplicates == "paper" else frozenset()
    for alphabet in chosen:
        check_distinct(folder, alphabet, drawings[alphabet.name])
    base = np.concatenate([_prepared(drawings.pop(alphabet.name), image_size, invert) for alphabet in chosen])
    tasks, first = [], 0
    for alphabet in chosen:
        tasks.append(_task(alphabet, base, first, alphabet.name in copied))
        first += alphabet.characters * DRAWINGS
    return tasks


def split_drawings(alphabet: Alphabet, copies: int = 1) -> dict[str, np.ndarray]:
    """Which drawings each part gets, int64 (characters, n) with n 10, 4 and 6; drawing d of character c is 20 c + d.

    With `copies` 2, each drawing is there twice before the shuffle, and the parts are twice as large.
    """
    generator = np.random.default_rng(alphabet.rank)
    drawings = np.tile(np.arange(DRAWINGS), copies)
    shuffled = np.stack([generator.permutation(drawings) for _ in range(alphabet.characters)])
    shuffled += DRAWINGS * np.arange(alphabet.characters)[:, None]
    bounds = len(drawings) // 2, len(drawings) * 7 // 10
    return dict(zip(PARTS, np.split(shuffled, bounds, axis=1), strict=True))


def _task(alphabet: Alphabet, base: np.ndarray, first: int, copied: bool) -> TaskData:
    """The task of the alphabet whose drawings start at row `first` of `base`."""
    splits = {
        part: Examples(base, rows.ravel() // DRAWINGS, rows.ravel() + first)
        for part, rows in split_drawings(alphabet, 2 if copied else 1).items()
    }
    return TaskData(alphabet.name, "omniglot", alphabet.characters, splits, _NOTE if copied else "")


def _prepared(images: np.ndarray, image_size: int, invert: bool) -> np.ndarray:
    """Drawings uint8 (N, 105, 105) as the network is to see them, (N, image_size, image_size, 1)."""
    seen = (255 - images if invert else images)[..., None]
    return seen if image_size == SIDE else by_area(seen, image_size)


def _check_options(alphabets: int, image_size: int, duplicates: str) -> None:
    if not 1 <= alphabets <= len(ALPHABETS):
        raise InputError(f"alphabets {alphabets}: give 1 to {len(ALPHABETS)}")
    if not 1 <= image_size <= SIDE:
        raise InputError(f"image_size {image_size}: give 1 to {SIDE} pixels; the images have {SIDE}")
    if duplicates not in DUPLICATES:
        hint = suggest(str(duplicates), DUPLICATES)
        raise InputError(f"duplicates '{duplicates}'{hint}: use one of {', '.join(DUPLICATES)}")
