"""How a child learns: tensors in, tensors and metrics out. Knows nothing of evolution, tasks or the store."""

from munet.training.child_state import OnCycle, Outcome, TrainItem
from munet.training.evaluation import EvalItem, evaluate, evaluate_together
from munet.training.features import FeatureCache
from munet.training.images import ImageSet
from munet.training.precision import check_precision
from munet.training.preprocessing import Preprocessing, augment, prepare
from munet.training.recipe import Recipe
from munet.training.schedules import learning_rate_at
from munet.training.trainer import train, train_together
from munet.training.trie import Step

__all__ = [
    "EvalItem",
    "FeatureCache",
    "ImageSet",
    "OnCycle",
    "Outcome",
    "Preprocessing",
    "Recipe",
    "Step",
    "TrainItem",
    "augment",
    "check_precision",
    "evaluate",
    "evaluate_together",
    "learning_rate_at",
    "prepare",
    "train",
    "train_together",
]
