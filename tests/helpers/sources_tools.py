"""Forty small grey images with labels, and the one line with which a source is refused."""

import numpy as np
import pytest

from munet.errors import InputError
from munet.tasks.sources import open_source

GREY = np.random.default_rng(0).integers(2, 255, (40, 6, 6), dtype=np.uint8)
LABELS = np.arange(40) % 2


def read_all(address: str) -> None:
    source = open_source(address)
    for split, count in source.counts().items():
        source.labels(split)
        list(source.items(split, 0, count))


def refused(address: str, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        read_all(address)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    for word in words:
        assert word in message, message
    return message
