"""From the bytes of an image to what a person is told: classes with their probabilities, and whose they are."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from PIL import Image

from munet.errors import InputError
from munet.inference.prepared import batches
from munet.serving.batcher import Wanted
from munet.serving.served import Loaded, Tasks
from munet.tasks.white import told_of_dark

_QUICK = 64 * 64  # pixels; and 4 bytes for each, of a file


@dataclass(frozen=True)
class Answer:
    """One task's answer for one image."""

    loaded: Loaded
    probabilities: torch.Tensor  # (classes,)
    note: str | None = None  # what is doubtful about the image as this task reads it

    def top(self, k: int) -> list[dict[str, Any]]:
        """The `k` likeliest classes, in the words of the hub's image classification."""
        values, indices = self.probabilities.topk(min(k, len(self.loaded.classes)))
        pairs = zip(values.tolist(), indices.tolist(), strict=True)
        return [{"label": self.loaded.classes[index], "score": value} for value, index in pairs]


class Row(NamedTuple):
    """A model that is asked about an image, and what is said of that."""

    loaded: Loaded
    note: str | None


def answered(row: Row, logits: torch.Tensor) -> Answer:
    return Answer(row.loaded, (logits / row.loaded.temperature).softmax(0), row.note)


def prepared(data: Any, asked: Sequence[Loaded], tasks: Tasks, *, as_decoded: bool) -> tuple[list[Wanted], list[Row]]:
    """An image as the rows that these models are asked about, and the models in the order of their answers.

    `data` is the bytes of an image file, or an array uint8 (H, W, C). Models whose tasks make the same of it share a
    row. With `as_decoded` the last step is left to who computes: small images take it many at once. InputError for
    what is no image.
    """
    groups: dict[Any, list[Loaded]] = {}
    for one in asked:
        groups.setdefault((one.form, one.preprocessing), []).append(one)
    wanted, order = list[Wanted](), list[Row]()
    for (form, preprocessing), mine in groups.items():
        picture, brightest = form.looked_at(data, name="the image")
        note = told_of_dark(data, brightest, form.white)
        nodes = [tasks.nodes[one.task] for one in mine]
        if as_decoded:
            wanted.append(Wanted(torch.from_numpy(picture), nodes, preprocessing))
        else:
            (batch,) = batches([picture], preprocessing, 1, "cpu")
            wanted.append(Wanted(batch[0], nodes))
        order += [Row(one, note) for one in mine]
    return wanted, order


def pixels_of(data: Any, most: int) -> int:
    """Pixels of an image, as its header says before it is decoded; 0 where that says nothing: whoever decodes it will.

    InputError for more than `most`.
    """
    if not isinstance(data, bytes):  # an array
        return data.shape[0] * data.shape[1]
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0
    if width * height > most:
        raise InputError(
            f"the image has {width} x {height} pixels: send one of at most {most:,} pixels", kind="too-large"
        )
    return width * height


def is_quick(data: Any, pixels: int, asked: Sequence[Loaded]) -> bool:
    """Whether an image is prepared in less time than it takes to hand it to another thread and back: it is small, and
    so is what it becomes."""
    if not isinstance(data, bytes) or len(data) > 4 * _QUICK or len(asked) > 1:
        return False
    return pixels <= _QUICK and asked[0].preprocessing.image_size ** 2 <= _QUICK
