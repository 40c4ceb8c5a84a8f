"""What every source of images offers, and how its address is written."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from munet.errors import InputError, suggest
from munet.tasks.images import read_bytes, usual_white
from munet.tasks.sources.by_class import Blocks, by_class
from munet.tasks.sources.numbering import NO_CLASS
from munet.tasks.sources.walk import LEADS_NOWHERE

ORDERS = ("stored", "shuffled", "stratified")

_OPTIONS = re.compile(
    r"(?P<location>.*?)\?(?P<options>\w+={value}(?:&\w+={value})*)".format(value=r"(?:[^?&]|\?(?=P<|<!|[:!]))*"),
    re.DOTALL,
)


@dataclass(frozen=True)
class Unusable:
    """An example that holds no image: its content as stored, and why."""

    content: bytes
    reason: str


Item = bytes | np.ndarray | Unusable
"""An example as it is stored: an encoded image file, pixels uint8 (H, W, C) with C 1 or 3, or no image at all."""


def content(item: Item) -> bytes:
    """An example as bytes."""
    if isinstance(item, np.ndarray):
        return item.tobytes()
    return item.content if isinstance(item, Unusable) else item


class Source(ABC):
    """Labelled images in named splits. Opening one reads no image, only what is needed to list them.

    `location` is what follows the scheme. Each option is a `key=value` after a question mark.
    """

    scheme: ClassVar[str]
    options_known: ClassVar[tuple[str, ...]] = ("order", "white")
    default_order: ClassVar[str] = "stored"
    """`stored`, `shuffled`, or `stratified`: shuffled, and a share of each class in front (`by_class.py`)."""
    packed: ClassVar[bool] = False
    """Whether `files` are archives: quicker to hash as they are than to unpack, and small in number."""

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        self.location = location
        self.options = dict(options)
        order = options.get("order")
        if order is not None and order not in ORDERS:
            raise InputError(f"order={order}{suggest(order, ORDERS)}: use one of {', '.join(ORDERS)}")
        self.white = white_in(options)
        self.no_label = "no label"
        """What to say of an example without one."""
        self.called: tuple[str, str] = ("", "")
        """The folder of a copy, and the address that errors name in its place."""

    @property
    def order_kind(self) -> str:
        """One of `ORDERS`."""
        return self.options.get("order", self.default_order)

    @property
    def address(self) -> str:
        """The address that opens this source again from any folder."""
        tail = "&".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.scheme}:{self.location}" + (f"?{tail}" if tail else "")

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Class names; the label k means `classes[k]`."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Number of examples of each split, the train split first where there is one."""

    @abstractmethod
    def stored_labels(self, split: str) -> np.ndarray:
        """Labels int64 (N,) of a split in stored order, each in `range(len(classes))`, or NO_CLASS."""

    @abstractmethod
    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        """The examples `rows` of a split, in that order."""

    @abstractmethod
    def stored_name(self, split: str, row: int) -> str:
        """What to call one example in an error: its file, or its file and row."""

    def usual_white(self, split: str) -> int:
        """The value of the first image of a split that becomes 255 where the option `white` does not say another."""
        item = next(self.items(split, 0, 1), None)
        return usual_white(item) if isinstance(item, bytes) else 255

    def files(self, split: str) -> Sequence[Path] | None:
        """Every file that the examples of a split come from, or None where that cannot be known."""
        return None

    def notes(self) -> Sequence[str]:
        """What a person should know of how the source was read: one line each, what was guessed and left out."""
        return ()

    def refuse_doubtful(self) -> None:  # noqa: B027 - most sources have nothing to doubt
        """InputError where what is there can be read, but a new task of it would hardly be what was meant."""

    def take_guesses(self) -> None:  # noqa: B027 - most sources guess the same for a new task as for a recorded one
        """For a new task, use what its address does not say and a task of before was added without; the address says it
        from now on."""

    def take_numbers(self, recorded: Sequence[str]) -> None:  # noqa: B027 - most sources number as they always did
        """Number the classes as a record of before did, if that is one of the ways in which it was done."""

    def keys(self, split: str) -> Sequence[str]:
        """For each stored row the text whose hash decides its place in the shuffled order."""
        return [f"{split}/{row}" for row in range(self.counts()[split])]

    @cached_property
    def _orders(self) -> dict[str, np.ndarray]:
        return {}

    def order(self, split: str) -> np.ndarray:
        """Stored row of each example, int64 (N,), in the order of the source.

        The shuffled order sorts by SHA-256, so it is the same on every machine and with every version.
        """
        if split not in self._orders:
            self._orders[split] = self._blocks(split)[0] if self.order_kind == "stratified" else self._plain(split)
        return self._orders[split]

    def blocks(self, split: str) -> Blocks | None:
        """The blocks of a split, where its order has some."""
        return self._blocks(split)[1] if self.order_kind == "stratified" else None

    def _blocks(self, split: str) -> tuple[np.ndarray, Blocks]:
        plain = self._plain(split)
        order, blocks = by_class(self.stored_labels(split)[plain])
        return plain[order], blocks

    def _plain(self, split: str) -> np.ndarray:
        """The stored order or the shuffled one."""
        count = self.counts()[split]
        if self.order_kind == "stored":
            return np.arange(count, dtype=np.int64)
        hashes = [hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest() for key in self.keys(split)]
        return np.array(sorted(range(count), key=lambda row: (hashes[row], row)), np.int64)

    def stratify(self) -> None:
        """From now on, and in the address, the order whose first examples are a share of each class."""
        self.options["order"] = "stratified"
        self._orders.clear()

    def keep_order(self) -> None:
        """Take `stratify` back."""
        self.options.pop("order", None)
        self._orders.clear()

    def labels(self, split: str) -> np.ndarray:
        """Labels int64 (N,) in the order that split expressions count in, NO_CLASS for an example without one.

        InputError where one is no class, or none of the split has one.
        """
        labels = self.stored_labels(split)
        self._refuse_labels(split, labels)
        return labels[self.order(split)]

    def _refuse_labels(self, split: str, labels: np.ndarray) -> None:
        wrong = (labels >= len(self.classes)) | (labels < NO_CLASS)
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise InputError(
                f"{self.stored_name(split, row)}: label {labels[row]}, but there are {len(self.classes)} classes"
            )
        if len(labels) and np.all(labels == NO_CLASS):
            way_out = "there is nothing to learn from"
            if split in ("validation", "test") and "train" in self.counts():
                way_out = f"choose other examples, for instance --{split} 'train[:10%]'"
            name = self.stored_name(split, 0)
            raise InputError(f"{name}: no label: the labels of {split} seem to be hidden, {way_out}")

    def items(self, split: str, start: int, stop: int) -> Iterator[Item]:
        """The examples `start` to `stop - 1`, in the order that split expressions count in."""
        rows = self.order(split)[start:stop].tolist()
        labels = self.stored_labels(split)[rows].tolist()
        for row, label, item in zip(rows, labels, self.stored_items(split, rows), strict=True):
            reason = f"{self.stored_name(split, row)}: {self.no_label}"
            yield item if label != NO_CLASS else Unusable(content(item), reason)

    def name(self, split: str, index: int) -> str:
        """What to call example `index` in an error."""
        return self.stored_name(split, int(self.order(split)[index])).replace(*self.called)


def split_address(text: str) -> tuple[str, dict[str, str]]:
    """`LOCATION?key=value&...` as location and options."""
    match = _OPTIONS.fullmatch(text)
    if match is None:
        return text, {}
    return match["location"], dict(pair.split("=", 1) for pair in match["options"].split("&"))


def white_in(options: Mapping[str, str]) -> int | None:
    """The option `white`: the value that means white. InputError where it is no whole number from 1 to 2³²."""
    white = options.get("white")
    if white is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,9}", white, re.ASCII) or int(white) > 1 << 32:
        raise InputError(f"white={white}: must be the whole number that means white, such as white=4095 for 12 bits")
    return int(white)


def file_item(path: Path) -> Item:
    """The content of an image file; InputError where it may not be read."""
    try:
        return read_bytes(path)
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):  # a broken link, or removed since it was listed
            return Unusable(b"", f"{path}: there is no such file")
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in LEADS_NOWHERE:
            return Unusable(b"", f"{path}: a link that leads to no file ({error.__cause__.strerror})")
        raise


def absolute(location: str) -> Path:
    """The path that `location` means, without following links."""
    path = Path(location).expanduser()
    return path if path.is_absolute() else Path.cwd() / path


def train_first(counts: Mapping[str, int]) -> dict[str, int]:
    """`counts` with train, validation and test in front, in this order."""
    front = [name for name in ("train", "validation", "test") if name in counts]
    return {name: counts[name] for name in [*front, *sorted(set(counts) - set(front))]}
