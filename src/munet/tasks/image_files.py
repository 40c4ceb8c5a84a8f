"""Which files hold images: by suffix, and those without one by their first bytes. HEIC where pillow-heif is there."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

HEIF_SUFFIXES = (".heic", ".heif", ".hif")
# Registered by Pillow, but nothing that it decodes by itself to pixels: stubs, films, vector graphics.
_NO_PIXELS = frozenset(("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"))


@cache
def image_suffixes() -> frozenset[str]:
    """Every suffix that Pillow decodes, in small letters; those of HEIC with pillow-heif."""
    Image.preinit()  # JPEG, PNG and the like first: Pillow asks formats in the order in which they were loaded
    register_heif()
    Image.init()
    formats = {*Image.OPEN, "MPO"} - _NO_PIXELS  # Pillow opens MPO as JPEG
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in formats)


@cache
def register_heif() -> bool:
    """Let Pillow decode HEIC, if pillow-heif is installed; whether it is."""
    if find_spec("pillow_heif") is None:
        return False
    from pillow_heif import register_heif_opener

    Image.preinit()
    register_heif_opener()
    return True


def looks_like_heif(data: bytes) -> bool:
    """Whether a file that starts with `data` is HEIC, as telephones write it."""
    return data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"heif", b"heim", b"hevc", b"mif1", b"msf1")


def is_image(path: Path) -> bool:
    """Whether the name says so; a file without suffix is opened to see."""
    if suffix := path.suffix:
        return suffix.lower() in image_suffixes()
    try:
        with Image.open(path):
            return True
    except Exception:  # Pillow's readers raise nearly anything for what they do not know
        return False


def why_left_out(suffix: str) -> str:
    """What to do about files of a suffix that was left out; often nothing."""
    return " (install pillow-heif)" if suffix.lower() in HEIF_SUFFIXES else ""
