from .child_state import OnCycle, Outcome, TrainItem
from .evaluation import EvalItem, evaluate, evaluate_together, logits_of
from .features import FeatureCache
from .images import ImageSet
from .precision import check_precision
from .preprocessing import Preprocessing, augment, prepare
from .recipe import Recipe
from .schedules import learning_rate_at
from .trainer import train, train_together
from .trie import Step

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
    "logits_of",
    "prepare",
    "train",
    "train_together",
]
