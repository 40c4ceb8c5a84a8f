"""What a model's answers on labelled images come to: accuracy, per class, confusions, calibration. Pure numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_BINS = 15
_TOP = 5


@dataclass(frozen=True)
class Answers:
    """Probabilities (N, C), labels int64 (N,), class names, and what to call each image."""

    probabilities: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]
    names: Sequence[str]

    @property
    def predicted(self) -> np.ndarray:
        """int64 (N,); the first class among equals."""
        return self.probabilities.argmax(1)

    @property
    def losses(self) -> np.ndarray:
        """Negative log-likelihood of each right answer in nats (N,)."""
        right = self.probabilities[np.arange(len(self.labels)), self.labels]
        return -np.log(np.maximum(right, np.finfo(np.float64).tiny))

    @property
    def hardest(self) -> np.ndarray:
        """Numbers of the images int64 (N,), those whose right class is least likely first."""
        return np.argsort(-self.losses, kind="stable")


def measured(answers: Answers, *, worst: int = 10, confusions: int = 10) -> dict[str, Any]:
    """Everything as JSON values; shares lie from 0 to 1, null where nothing can be said."""
    labels, predicted, classes = answers.labels, answers.predicted, answers.classes
    matrix = confusion_matrix(labels, predicted, len(classes))
    return {
        "examples": len(labels),
        "correct": int((predicted == labels).sum()),
        "accuracy": float((predicted == labels).mean()),
        "top_5": _top_accuracy(answers.probabilities, labels),
        "mean_recall": _mean(_share(matrix.diagonal(), matrix.sum(1))),
        "nll": float(answers.losses.mean()),
        "calibration_error": calibration_error(answers.probabilities, labels),
        "reliability": reliability(answers.probabilities, labels),
        "classes": _per_class(matrix, classes),
        "confusions": _confusions(matrix, classes, confusions),
        "confusion_matrix": matrix.tolist(),
        "worst": _worst(answers, worst),
    }


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Images by right class (row) and answer (column), int64 (C, C)."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """How far confidence is from accuracy, mean over images in fifteen bins of confidence (Naeini et al. 2015)."""
    _, confidence, right = _binned(probabilities, labels)
    return float(np.abs(right - confidence).sum() / len(labels))


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """The bins of `calibration_error` that hold images: how many, their mean confidence, the share that is right."""
    counts, confidence, right = _binned(probabilities, labels)
    return [
        {"images": int(n), "confidence": float(c / n), "accuracy": float(r / n)}
        for n, c, r in zip(counts, confidence, right, strict=True)
        if n
    ]


def _binned(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each bin of confidence (15,): images, their confidence in sum, how many are right."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    return np.bincount(bins, minlength=_BINS), np.bincount(bins, confidence, _BINS), np.bincount(bins, right, _BINS)


def _top_accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    if probabilities.shape[1] <= _TOP:
        return None
    best = np.argpartition(-probabilities, _TOP - 1, axis=1)[:, :_TOP]
    return float((best == labels[:, None]).any(1).mean())


def _share(part: np.ndarray, whole: np.ndarray) -> list[float | None]:
    return [float(p / w) if w else None for p, w in zip(part, whole, strict=True)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _per_class(matrix: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    right = matrix.diagonal()
    recall, precision = _share(right, matrix.sum(1)), _share(right, matrix.sum(0))
    rows = zip(classes, matrix.sum(1).tolist(), recall, precision, strict=True)
    return [{"class": name, "examples": n, "recall": r, "precision": p} for name, n, r, p in rows]


def _confusions(matrix: np.ndarray, classes: Sequence[str], most: int) -> list[dict[str, Any]]:
    """The commonest wrong answers."""
    wrong = matrix - np.diag(matrix.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    cells = [divmod(int(cell), len(classes)) for cell in order]
    return [{"class": classes[i], "answer": classes[j], "images": int(wrong[i, j])} for i, j in cells if wrong[i, j]]


def _worst(answers: Answers, most: int) -> list[dict[str, Any]]:
    """The images whose right class is least likely."""
    losses, labels, predicted = answers.losses, answers.labels.tolist(), answers.predicted.tolist()
    order = answers.hardest[:most].tolist()
    return [
        {
            "image": answers.names[i],
            "class": answers.classes[labels[i]],
            "answer": answers.classes[predicted[i]],
            "probability": float(answers.probabilities[i, labels[i]]),
            "nll": float(losses[i]),
        }
        for i in order
    ]
