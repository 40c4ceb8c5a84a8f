"""What a report shows of images that were never there: noise, and answers that are mostly right."""

from typing import Any

import numpy as np

from munet.inference.measures import Answers
from munet.report.images.measuring import told


def made_up(classes: int, examples: int = 400, thumbnails: int = 40, seed: int = 0) -> dict[str, Any]:
    """Of one task, as `munet.report.images.measuring.seen` has it."""
    rng = np.random.default_rng(seed)
    names = [f"class {number}" for number in range(classes)]
    images = {split: rng.integers(0, 256, (examples, 64, 64, 3), dtype=np.uint8) for split in ("validation", "test")}
    answers = {}
    for split in images:
        labels = rng.integers(0, classes, examples)
        wanted = (labels + (rng.random(examples) < 0.3) * rng.integers(1, 4, examples)) % classes
        logits = rng.normal(size=(examples, classes)) + 6 * np.eye(classes)[wanted]
        probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        answers[split] = Answers(probabilities, labels, names, [str(n) for n in range(examples)])
    return told(answers, images, thumbnails)
