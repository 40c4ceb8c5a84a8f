"""The pictures of docs/gallery.md, by the commands that stand there: the run that it describes, then each picture.

`python tools/gallery.py build/gallery` takes some minutes on two cores; a run that is there already is not done again.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
_RUN = re.compile(r"^## The run$.*?^((?:    [^\n]+\n)+)", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^    (munet .*)\n\n!\[.*?\]\((gallery/.*?)\)", re.MULTILINE)
_WIDTH, _SHARE, _COLOURS = 1000, 0.75, 64  # enough to read on a screen: all of the page have 0.6 MB


def commands(page: str) -> tuple[str, list[tuple[str, str]]]:
    """The lines of the run, and (command, picture) of each picture."""
    found = _RUN.search(page)
    if found is None:
        raise SystemExit("docs/gallery.md says not how its run is made")
    return "\n".join(line[4:] for line in found.group(1).splitlines()), _PICTURE.findall(page)


def smaller(picture: Path, target: Path) -> None:
    """Write `picture` to `target` as a page shows it."""
    with Image.open(picture) as image:
        width = min(_WIDTH, round(_SHARE * image.width))  # figures of a column stay smaller than those of a page
        size = (width, round(image.height * width / image.width))
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).quantize(_COLOURS).save(target, optimize=True)


def main(folder: Path) -> None:
    run, pictures = commands((DOCS / "gallery.md").read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    where = {"cwd": folder, "env": {**os.environ, "PATH": path}, "check": True}
    if not (folder / "done").exists():
        subprocess.run(["bash", "-euc", run], **where)
        (folder / "done").touch()
    for command, target in pictures:
        subprocess.run([*shlex.split(command), "--write", "picture.png"], **where)
        smaller(folder / "picture.png", DOCS / target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
