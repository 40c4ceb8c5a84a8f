"""What every image of a task is made before a model's preprocessing: the one size and the channels they come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from munet.store.schema import TaskData
from munet.tasks.images import decode_near, to_size
from munet.tasks.sources.base import split_address, white_in


def decode_side(image_size: int) -> int:
    """Side in pixels to which larger or mixed images are decoded: twice the model's input, room for crops."""
    return 2 * image_size


@dataclass(frozen=True)
class Form:
    """The form of a task's images: training, evaluation and prediction make each image by `picture`.

    `size` is (height, width) of every image. It is None for tasks whose record does not tell (added before records
    did, or imported without images): then an image higher or wider than `side` becomes (side, side), and others stay
    as they are. Images have at least `channels` channels, 1 or 3; of a grey one with three, all are equal. `white` is
    the value that means white, where the address of the source says it.
    """

    side: int
    size: tuple[int, int] | None = None
    channels: int = 1
    white: int | None = None

    @classmethod
    def of(cls, record: TaskData, split: str, side: int) -> Self:
        """The form of a split of a recorded task at `side`, and of new images, which are as those of `test`.

        The training images' common size where it is at most `side`, else (side, side).
        """
        splits, white = record["splits"], white_in(split_address(record["source"])[1])
        if "size" not in splits["train"]:
            return cls(side, white=white)
        size = cls.size_for(splits["train"]["size"], side)
        # Training reads grey as one channel where all it has is grey, whatever validation and test hold.
        channels = 1 if split == "train" else max(part.get("channels", 1) for part in splits.values())
        return cls(side, size, channels, white)

    @staticmethod
    def size_for(common: Sequence[int] | None, side: int) -> tuple[int, int]:
        """What images become at `side` whose training split has the `common` size (height, width), or several."""
        return (common[0], common[1]) if common is not None and max(common) <= side else (side, side)

    def picture(self, image: Any, name: str | None = None) -> np.ndarray:
        """Whatever `munet.tasks.decode_image` reads, as uint8 (H, W, C) of this form. InputError that has `name`."""
        return self.looked_at(image, name)[0]

    def looked_at(self, image: Any, name: str | None = None) -> tuple[np.ndarray, int]:
        """The picture, and the largest value, 0 to 255, that the image has before it is resized. InputError as
        `picture`."""
        pixels, _ = self.decoded(image, name)
        picture = self.fitted(pixels)
        return picture if picture.flags.writeable else picture.copy(), int(pixels.max())

    def decoded(self, image: Any, name: str | None = None) -> tuple[np.ndarray, tuple[int, int]]:
        """What `fitted` makes the picture of: pixels, perhaps read-only, and the size that `image` has, as
        `munet.tasks.images.decode_near` gives them. InputError that has `name`."""
        side = self.side if self.size is None else max(self.size)
        return decode_near(image, side, name=name, white=self.white)

    def fitted(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 1 or 3) in this form."""
        pixels = to_size(pixels, self.side, self.size)
        return pixels.repeat(3, axis=2) if pixels.shape[2] < self.channels else pixels
