"""Which classes a confusion matrix shows, and in which order: those that are taken for each other side by side."""

from typing import TYPE_CHECKING

from munet.report.network.families import families

if TYPE_CHECKING:
    import numpy as np

SHOWN = 200  # classes at most


def confused(matrix: "np.ndarray") -> list[int]:
    """Numbers of the classes of a confusion matrix (C, C) that are shown, in order.

    All of them, or the 200 that are in most errors.
    """
    import numpy as np

    wrong = matrix + matrix.T
    np.fill_diagonal(wrong, 0)
    kept = np.sort(np.argsort(-wrong.sum(1), kind="stable")[:SHOWN])
    return kept[families(wrong[np.ix_(kept, kept)].astype(float))].tolist()
