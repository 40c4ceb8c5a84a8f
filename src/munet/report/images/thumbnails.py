"""Small images for a page: WebP of a bounded size, written into the page or into a folder beside it."""

import hashlib
import io
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from munet.fs.atomic import make_folder, write_atomic

if TYPE_CHECKING:
    import numpy as np

SIDE = 64  # pixels at most
_BYTES = 1600  # at most: 800 of them, in base64, are 1.7 MB
_QUALITIES = (82, 65, 50, 35, 20, 8, 1)
_BEGINS = "data:image/webp;base64,"


def thumbnail(pixels: "np.ndarray") -> str:
    """An image uint8 (H, W, 1 or 3) as an address that holds all of it; never larger than it was."""
    from PIL import Image

    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    data = b""
    for quality in _QUALITIES:
        file = io.BytesIO()
        image.save(file, "webp", quality=quality, method=4)
        data = file.getvalue()
        if len(data) <= _BYTES:
            break
    return _BEGINS + b64encode(data).decode()


class Folder:
    """A folder beside a page that takes its thumbnails."""

    def __init__(self, page: Path) -> None:
        self.path = page.with_name(f"{page.stem}-images")
        make_folder(self.path)

    def put(self, address: str) -> str:
        """The address, from the page, of what another one holds."""
        data = b64decode(address.removeprefix(_BEGINS))
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.webp"
        if not (self.path / name).exists():
            write_atomic(self.path / name, data)
        return f"{self.path.name}/{name}"
