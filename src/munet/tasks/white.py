"""Which value means white: images that can hold many bits and use few of them, as 12 bits in 16, come out dark."""

from collections.abc import Mapping
from typing import Any

from munet.errors import InputError
from munet.tasks.images import usual_white
from munet.tasks.reading import Reading
from munet.tasks.sources.base import Source

_ALMOST_BLACK = 16  # of 255: what 12 bits in 16 become
_QUARTER = 64  # what 14 bits become
_REMEMBERED = 64


def check_white(source: Source, readings: Mapping[str, Reading], *, first: str = "") -> None:
    """InputError where all images are almost black and nobody says which value means white; `first` is what to do
    before it can be said."""
    if source.white is not None:
        return
    brightest = max(reading.brightest for reading in readings.values())
    if brightest > _ALMOST_BLACK:
        return
    white = source.usual_white(readings["train"].examples[0][0])
    meant = brightest if white <= 255 else (1 << _bits(brightest, white)) - 1
    example = f"say which value means white, such as ?white={meant}, or" if 0 < meant < white else "say"
    raise InputError(
        f"{source.address}: all images are almost black, the brightest value is {brightest} if {white} is white and "
        f"stands for 255: {first}{example} ?white={white} if they are meant to be so dark"
    )


def told_of_white(source: Source, readings: Mapping[str, Reading]) -> list[str]:
    """A sentence where images that can hold many bits use a quarter of them at most, as 14 bits in 16 do."""
    brightest = max(reading.brightest for reading in readings.values())
    if source.white is not None or brightest > _QUARTER:
        return []
    white = source.usual_white(readings["train"].examples[0][0])
    if white <= 255:
        return []
    bits = _bits(brightest, white)
    return [f"images are dark: {_brightest(brightest)}; ?white={(1 << bits) - 1} if they have {bits} bits in 16"]


def told_of_dark(image: Any, brightest: int, white: int | None) -> str | None:
    """A sentence about one image by the rule of `told_of_white`. `brightest` is its largest value, 0 to 255; `white` is
    what its task says of it."""
    return f"the image is dark: {_in_other_bits(brightest)}" if _comes_out_dark(image, brightest, white) else None


class Dark:
    """What is said of images that are answered one after the other, by the rule of `told_of_white` for each."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, int]] = []

    def add(self, name: str, image: Any, brightest: int, white: int | None) -> None:
        """An image (`munet.tasks.images.usual_white`) of which `brightest` is the largest value, 0 to 255; `white` is
        what the task says of white."""
        if len(self._seen) < _REMEMBERED and _comes_out_dark(image, brightest, white):
            self._seen.append((name, brightest))

    def told(self) -> list[str]:
        """One sentence, where there was one."""
        if not self._seen:
            return []
        name, brightest = min(self._seen)
        return [f"images are dark, such as {name}: {_in_other_bits(brightest)}"]


def _comes_out_dark(image: Any, brightest: int, white: int | None) -> bool:
    # An image that is bright is not opened again for the bits that it can hold.
    return white is None and brightest <= _QUARTER and usual_white(image) > 255


def _brightest(value: int) -> str:
    return f"the brightest value is {value} of 255"


def _in_other_bits(brightest: int) -> str:
    bits = _bits(brightest, 65535)
    divided = f"each value divided by {1 << (bits - 8)}"
    return f"{_brightest(brightest)}; if it has {bits} bits in 16, save it with 8 ({divided})"


def _bits(brightest: int, white: int) -> int:
    """The fewest bits that could hold what became `brightest` when `white` became 255."""
    return next(bits for bits in (8, 10, 12, 14, 16) if (brightest - 1) * white < 255 << bits)
