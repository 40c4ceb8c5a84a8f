"""Colours of tasks on light and on dark ground."""

from colorsys import hls_to_rgb, rgb_to_hls
from functools import cache

from munet.report.style.palette import colour

DARK_GROUND = "#1a1e23"
_CONTRAST = 4.0  # of a colour to the dark ground, at least (WCAG 2 asks 3 for graphics)


def task_look(number: int) -> dict[str, str]:
    """The n-th task's colours."""
    plain = colour(number).lower()
    return {"colour": plain, "dark": lightened(plain)}


@cache
def lightened(fill: str) -> str:
    """The same hue, as light as a line on the dark ground needs."""
    red, green, blue = (int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = rgb_to_hls(red, green, blue)
    while contrast(fill, DARK_GROUND) < _CONTRAST and light < 0.95:
        light, saturation = light + 0.02, saturation * 0.985
        fill = "#" + "".join(f"{round(255 * channel):02x}" for channel in hls_to_rgb(hue, light, saturation))
    return fill


def contrast(one: str, other: str) -> float:
    """Ratio of the relative luminances of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(fill: str) -> float:
    channels = [int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
