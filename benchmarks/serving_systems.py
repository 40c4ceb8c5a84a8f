"""Systems whose tasks share layers as evolved ones do, and images to ask them about."""

import io
import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from shared_evaluation import Scale, add_model, write_images

import munet
from munet.rng import numpy_rng


@dataclass(frozen=True)
class Sharing:
    """`trunk`: block 0 is everybody's; the blocks above are the root's in every fourth task, and of one common trunk in
    the others; norm and head are each task's own. That is what `adaptive` leaves of `mccb-local`.

    `half`: the lower half of the blocks is everybody's, all above it each task's own.
    """

    name: str
    scale: Scale


SMALL = Scale("random:vit_tiny_patch16_224", 3, 32, 8, 64, 10)
DEEP = Scale("random:vit_tiny_patch16_224", 12, 32, 20, 64, 10)
LARGE = Scale("random:vit_tiny_patch16_224", 12, 224, 8, 16, 10)


def make_system(folder: Path, sharing: Sharing) -> munet.System:
    """A system whose every task has a retained model that shares as said. Weights are random: times do not depend on
    them."""
    scale = sharing.scale
    folder.mkdir(parents=True, exist_ok=True)
    system = munet.System.create(folder / "system", root=scale.root, depth=scale.depth, image_size=scale.image_size)
    write_images(folder / "images", scale)
    names = [f"task{number:03d}" for number in range(scale.tasks)]
    for name in names:
        system.add_task(name, f"npz:{folder / 'images'}")
    own, trunk = {"norm"}, None
    for number, name in enumerate(names):
        parent = system.root
        if sharing.name == "half":
            own = {"norm", *(f"block.{k}" for k in range(scale.depth // 2, scale.depth))}
        elif number == 0:
            own = {"norm", *(f"block.{k}" for k in range(1, scale.depth))}
        else:
            own, parent = {"norm"}, system.root if number % 4 == 3 else trunk or system.root
        model = add_model(system, name, parent, own, scale)
        trunk = trunk or model
    return system


def image_files(folder: Path, scale: Scale, count: int) -> list[Path]:
    """PNG files of noise, of the models' size."""
    folder.mkdir(parents=True, exist_ok=True)
    stream, files = numpy_rng("benchmark", "serving"), []
    for number in range(count):
        pixels = stream.integers(0, 256, (scale.image_size, scale.image_size, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(folder / f"{number}.png")
        files[-1].write_bytes(file.getvalue())
    return files


def requests_file(path: Path, tasks: list[str], images: list[Path], *, as_json: bool = False) -> Path:
    """What load.py sends: each task asked about some images, as raw bytes to /models/TASK, or as JSON to /predict."""
    rows = []
    for number, task in enumerate(tasks):
        for turn in range(4):
            image = images[(number + turn) % len(images)]
            if as_json:
                body = image.with_name(f"{image.stem}-{task}.json")
                body.write_text(json.dumps({"task": task, "image": b64encode(image.read_bytes()).decode()}))
                rows.append(["/predict", "application/json", str(body)])
            else:
                rows.append([f"/models/{task}", "image/png", str(image)])
    path.write_text(json.dumps(rows))
    return path
