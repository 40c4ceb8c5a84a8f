"""Colours of tasks, distinct also for readers with the common kinds of colour blindness."""

from colorsys import hls_to_rgb

ROOT = "#c9cdd2"
INK = "#22262b"
FAINT = "#6d747c"
# Okabe & Ito 2008 without its black (text) and its yellow (too pale for a line on white, so a darker one comes last)
_FEW = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#A38A00")
# Seven more hues and then darker and lighter ones of the first
_MORE = (
    "#332288", "#882255", "#117733", "#999933", "#44AA99", "#AA4499", "#661100",
    "#6699CC", "#DD7788", "#4B5F22", "#B07AA1", "#7A5C3A", "#1F9E9E",
)  # fmt: skip


def task_colours(tasks: list[str]) -> dict[str, str]:
    """A colour for each task, by its place in the list, so that it keeps it when tasks are added."""
    return {task: colour(number) for number, task in enumerate(tasks)}


def colour(number: int) -> str:
    """The n-th colour: named palettes first, then hues that are far from their predecessors' without end."""
    named = (*_FEW, *_MORE)
    if number < len(named):
        return named[number]
    step = number - len(named)
    red, green, blue = hls_to_rgb(step * 0.618034 % 1, (0.36, 0.5, 0.44)[step % 3], (0.75, 0.55)[step % 2])
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def text_on(fill: str) -> str:
    """Black or white, whichever reads better on `fill` (relative luminance of WCAG 2)."""
    channels = [int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return INK if luminance > 0.3 else "#ffffff"
