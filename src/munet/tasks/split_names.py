"""Which split a folder, a file or a value means: Train is train, Testing is test, seg_val and dev are validation."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

_WORDS = {
    "train": ("train", "training", "trainset", "trn", "trainval"),
    "validation": ("validation", "validate", "valid", "val", "dev", "development", "validset", "valset", "validating"),
    "test": ("test", "testing", "testset", "eval", "evaluation", "holdout"),
}
_SPLIT_OF = {word: split for split, words in _WORDS.items() for word in words}
_NOISE = frozenset(("set", "split", "data", "dataset", "images", "image", "imgs", "img", "photos", "folder", "dir"))
_PART = re.compile(
    rf"(?P<before>.*?)(k?fold|part|cv|chunk|shard|batch|split|{'|'.join(sorted(_NOISE))})[ _-]?\d+",
    re.IGNORECASE | re.DOTALL,
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # TrainSet, TestImages


def match_splits(names: Iterable[str]) -> dict[str, str]:
    """The names that mean train, validation or test, and which.

    Case does not count, nor do digits (`train2017`, `01_train`) or words that say nothing (`test_images`). Other words
    may stand around it where several names share them: `seg_train` and `seg_test`, but not `train station`.
    """
    plain: dict[str, str] = {}
    around: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name in names:
        words = [word for word in re.split(r"[\W_]+", _HUMP.sub("_", name).casefold()) if word not in _NOISE]
        words = [word for word in words if word.rstrip("0123456789")]
        meant = [_SPLIT_OF[bare] for word in words if (bare := word.rstrip("0123456789")) in _SPLIT_OF]
        if len(meant) != 1:
            continue
        others = tuple(word for word in words if word.rstrip("0123456789") not in _SPLIT_OF)
        if others:
            around[others][name] = meant[0]
        else:
            plain[name] = meant[0]
    for found in around.values():
        if len(set(found.values())) > 1:
            plain.update(found)
    return plain


def are_parts(names: Sequence[str]) -> bool:
    """Whether names count folds or parts of one thing (`fold_0`, `fold_1`; `photos part 1`, `photos part 2`)."""
    found = [_PART.fullmatch(name) for name in names]
    return len(names) > 1 and all(found) and len({match["before"] for match in found if match}) == 1


def says_nothing(name: str) -> bool:
    """Whether a folder of this name holds what any folder holds: `images`."""
    return name.casefold() in _NOISE


def normal(name: str) -> str:
    """One form of names that differ in case or in the form of their accents only."""
    return unicodedata.normalize("NFC", name).casefold()


def in_grammar(name: str) -> str:
    """`name` with what split expressions cannot hold replaced by an underscore."""
    return re.sub(r"[^\w.-]+", "_", name) or "_"
