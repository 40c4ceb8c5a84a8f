"""The one place that writes figures: print quality, whole or not at all, the same bytes for the same figure."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.fs.atomic import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
DPI = 300  # of PNG
MOST_PIXELS = 8000  # a side of one; larger figures get fewer dots, which are still more than a page shows
_DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def check_suffix(path: Path) -> None:
    """InputError unless the file's name says which kind of picture it is to be."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: a picture ends in {', '.join(SUFFIXES)}")


def save(figure: "Figure", path: Path) -> Path:
    """Write a figure as PNG, SVG or PDF, by the suffix; returns the path.

    No file holds a date or a random id. PDF holds its fonts and SVG has letters as outlines: both look alike anywhere.
    InputError for another suffix; StoreError where the file cannot be written.
    """
    check_suffix(path)
    write_atomic(path, encode(figure, path.suffix))
    return path


def encode(figure: "Figure", suffix: str) -> bytes:
    """The bytes that `save` writes."""
    import matplotlib

    data, kind = BytesIO(), suffix.lower().removeprefix(".")
    with matplotlib.rc_context({"svg.hashsalt": "munet", "svg.fonttype": "path", "pdf.fonttype": 42}):
        figure.savefig(
            data, format=kind, dpi=min(DPI, MOST_PIXELS / max(figure.get_size_inches())), metadata=_DATES.get(kind)
        )
    return data.getvalue()
