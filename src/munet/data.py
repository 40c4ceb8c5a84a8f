"""The splits of the tasks in memory, decoded once a run and kept while there is room."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from .tasks import Split, load

_ROOM = 4 << 30  # bytes of decoded images to hold


def decode_side(image_size: int) -> int:
    """Side in pixels to which larger or mixed images are decoded: twice the model's input, room for crops."""
    return 2 * image_size


class Splits:
    """Loads splits of tasks at the size a model needs, least recently used ones make room."""

    def __init__(self, *, allow_changed: bool = False) -> None:
        self._allow_changed = allow_changed
        self._held: OrderedDict[tuple[str, str, int], Split] = OrderedDict()

    def get(self, record: dict[str, Any], split: str, image_size: int, cap: int | None = None) -> Split:
        """A task's split as uint8 images for models with inputs of `image_size` pixels; its first `cap` examples."""
        key = (record["name"], split, decode_side(image_size))
        if key not in self._held:
            self._held[key] = self._load(record, split, image_size)
            while self._size() > _ROOM and len(self._held) > 1:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        held = self._held[key]
        return held if cap is None else replace(held, images=held.images[:cap], labels=held.labels[:cap])

    def _size(self) -> int:
        """Bytes of images held; a split that serves several input sizes counts once."""
        return sum({id(held): held.images.nbytes for held in self._held.values()}.values())

    def check(self, record: dict[str, Any], image_size: int) -> None:
        """Read what a run will need of a task, so that changed or missing data is refused before anything starts."""
        for split in ("train", "validation", "test"):
            self.get(record, split, image_size)

    def _load(self, record: dict[str, Any], split: str, image_size: int) -> Split:
        side = decode_side(image_size)
        for (name, part, other_side), held in self._held.items():
            largest = max(held.images.shape[1:3])
            # smaller than it was allowed to be: left as it is, and so it would be for any side that has room for it
            if (name, part) == (record["name"], split) and largest < other_side and largest <= side:
                return held
        return load(record, split, side=side, allow_changed=self._allow_changed)
