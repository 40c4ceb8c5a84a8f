"""Whether a model knows anything: its validation accuracy beside that of always giving the commonest answer (ours)."""

from math import sqrt

import numpy as np

_ERRORS = 2  # standard errors that learning has to show


def nothing_learned(accuracy: float, labels: np.ndarray) -> str | None:
    """A sentence where an accuracy on images with these labels is no clear sign of learning, else None."""
    examples = len(labels)
    guess = float(np.bincount(labels).max()) / examples
    if accuracy > guess + _ERRORS * sqrt(guess * (1 - guess) / examples):
        return None
    images = f"{examples:,} validation image{'s' * (examples > 1)}"
    return (
        f"no clear sign of learning: {accuracy:.1%} of {images} right, and always giving the commonest answer has "
        f"{guess:.1%}. Are the labels right, and are there enough images?"
    )
