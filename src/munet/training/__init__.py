"""How a child learns: tensors in, tensors and metrics out. Knows nothing of evolution, tasks or the store."""

from munet.training.evaluation import check_precision, evaluate
from munet.training.images import ImageSet
from munet.training.preprocessing import Preprocessing, augment, prepare
from munet.training.schedules import learning_rate_at
from munet.training.trainer import Outcome, Recipe, train

__all__ = [
    "ImageSet",
    "Outcome",
    "Preprocessing",
    "Recipe",
    "augment",
    "check_precision",
    "evaluate",
    "learning_rate_at",
    "prepare",
    "train",
]
