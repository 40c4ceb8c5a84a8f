"""A written program against our own answers: it is kept only if they are the same."""

from pathlib import Path

import numpy as np
import torch

from munet.errors import InputError
from munet.inference.programs.graph import Program

IMAGES = 16
LARGEST = 1e-4  # difference of logits, relative to the largest logit where that is above 1


@torch.no_grad()
def difference(path: Path, program: Program, example: torch.Tensor) -> float:
    """The largest difference of logits over 16 random images, in batches of 1 and of all. InputError above 1e-4, or
    where a class differs."""
    generator = torch.Generator().manual_seed(0)
    shape = (IMAGES, *example.shape[1:])
    if example.dtype == torch.uint8:
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    else:
        images = torch.randn(shape, generator=generator)
    wanted = program(images)
    run = _runtime(path) if path.suffix == ".onnx" else _loaded(path)
    worst = 0.0
    for batch, ours in ((images, wanted), (images[:1], tuple(logits[:1] for logits in wanted))):
        for task, mine, theirs in zip(program.tasks, ours, run(batch), strict=True):
            apart = float((mine - theirs).abs().max() / mine.abs().max().clamp(min=1))
            if not apart <= LARGEST or not torch.equal(mine.argmax(1), theirs.argmax(1)):
                raise InputError(f"the program answers otherwise for task {task!r} ({apart:.1e} apart): it is not kept")
            worst = max(worst, apart)
    return worst


def _runtime(path: Path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])

    def run(images: torch.Tensor) -> list[torch.Tensor]:
        return [torch.from_numpy(np.asarray(one)) for one in session.run(None, {"images": images.numpy()})]

    return run


def _loaded(path: Path):
    module = torch.export.load(path).module()
    return lambda images: list(module(images))
