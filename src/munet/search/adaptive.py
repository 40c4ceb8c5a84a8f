"""From evidence to the plan of a child (ours): parent, depth, recipe and head are computed, not drawn.

The evidence of a candidate is how well a closed-form head on its frozen features answers for images that were held out.
docs/method.md has the algorithm on a page, and the measurements behind each number here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from statistics import fmean
from typing import Any, Literal

from munet.errors import InputError
from munet.model.slots import parse
from munet.search.method import Method
from munet.search.mutations import Mutation, Parent, Plan, changes
from munet.search.space import Value

_CLEARLY = 0.95  # a parent must be this much likelier than the root in nll: near ties are chance
_EASY_PERCENT = 10.0  # error below which a large root's head is left as it is
_FEW_SAMPLES = 1000  # training on fewer was not seen to gain on the head that it starts from
_MANY_EPOCHS = 5  # from so many on images need stronger changes
_MOST_SHARES = 4.0  # of the samples for one task: more was not tried
_LARGE_ROOT = 5_000_000  # parameters: above it roots are pretrained on photographs, and want AdamW
_CHANCE = 0.4  # nats by which views change what a head says of one image: the mean of n differs by that over sqrt(n)
_CROPS: dict[str, Value] = {"augmentation": "none", "crop_area_min": 0.6, "crop_aspect_min": 0.75}  # of photographs

_COMPUTED = {  # what `recipe` says
    *("optimiser", "learning_rate", "layer_decay", "weight_decay", "warmup_ratio", "margin"),
    *("flip", *_CROPS),
}

Kind = Literal["drawings", "photographs"]


@dataclass(frozen=True)
class Probe:
    """What a closed-form head says of one possible parent."""

    model: str
    task: str | None  # None for the root
    nll: float  # held out, in nats
    error: float  # share of wrong answers
    temperature: float
    shrinkage: float
    features: str  # what the head reads, one of `space.HEAD_FEATURES`

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Probe":
        return cls(**values)


@dataclass(frozen=True)
class Mirrored:
    """What mirror images say of the classes: held-out nll of a head that has read each image twice, as it is and ..."""

    cropped: float  # ... cropped
    mirrored: float  # ... cropped and mirrored
    images: int

    @property
    def helps(self) -> bool:
        """Traffic signs, hands and letters lose their meaning in a mirror; flowers and leaves do not."""
        return self.mirrored <= self.cropped + _CHANCE / sqrt(max(self.images, 1))


@dataclass(frozen=True)
class Evidence:
    """All that is known of a task before anything is trained for it. `probes` has the root first."""

    probes: tuple[Probe, ...]
    kind: Kind
    images: int  # of training
    classes: int
    read: int  # images that were read to find out, over all candidates
    mirror: Mirrored | None = None  # of photographs; None where it was not asked

    @property
    def root(self) -> Probe:
        return self.probes[0]

    @property
    def best(self) -> Probe:
        """Whom the child descends from: the root, unless another is clearly likelier."""
        found = min(self.probes, key=lambda probe: probe.nll)
        return found if found.nll < _CLEARLY * self.root.nll else self.root

    @property
    def changes(self) -> dict[str, Value]:
        """How photographs are changed: cropped, and mirrored unless that is known to take their meaning."""
        return {**_CROPS, "flip": self.flips}

    @property
    def flips(self) -> bool:
        return self.mirror is None or self.mirror.helps

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "probes": [probe.to_json() for probe in self.probes]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Evidence":
        probes = tuple(Probe.from_json(probe) for probe in values["probes"])
        mirror = Mirrored(**found) if (found := values.get("mirror")) else None
        return cls(**{**values, "probes": probes, "mirror": mirror})


def trained_blocks(method: Method, error: float, num_blocks: int) -> int:
    """How many blocks, from the top, a child trains: a third, two thirds or all of them, by the error of its probe.

    A scale below 1 asks for more error before it pays for more layers: the thresholds are divided by the fourth power
    of it, so that 0.9 moves 10 and 20 % to 15 and 30 %.
    """
    third = -(-num_blocks // 3)
    easy, hard = (threshold / method.scale**4 / 100 for threshold in method.clone_errors)
    if error <= easy:
        return third
    return min(2 * third, num_blocks) if error <= hard else num_blocks


def is_worth_training(method: Method, evidence: Evidence, samples: int, root_parameters: int) -> bool:
    """Whether a trained child is expected to beat the closed-form head that it starts from."""
    if method.training != "probe":
        return method.training == "always"
    if root_parameters < _LARGE_ROOT:
        return samples >= method.batch_size
    return samples >= _FEW_SAMPLES and 100 * evidence.best.error > _EASY_PERCENT


def gains_from_a_new_head(method: Method, root_parameters: int) -> bool:
    """Whether what a child has learned is read better by a head in closed form than by the head that learned with it.

    On a large root it is, by two points on photographs; on a small root with drawings the trained head is ahead.
    """
    return method.head_last and root_parameters >= _LARGE_ROOT


def asks_of_mirrors(method: Method, kind: Kind) -> bool:
    """Whether a probe finds out if images may be mirrored: where the recipe would mirror them."""
    return method.mirror == "probe" and method.recipe == "probe" and kind == "photographs"


def views_of_a_head(method: Method, kind: Kind) -> int:
    """How often a head in closed form reads each image: photographs are cropped between, drawings are read once."""
    return method.head_views if kind == "photographs" and method.recipe == "probe" else 1


def recipe(evidence: Evidence, samples: int, root_parameters: int) -> dict[str, Value]:
    """Hyperparameters of a child by its root, its images and how often it sees each of them."""
    often = samples > _MANY_EPOCHS * evidence.images
    if root_parameters >= _LARGE_ROOT:
        chosen: dict[str, Value] = {
            "optimiser": "adamw",
            "learning_rate": 1e-4,
            "layer_decay": 0.75,
            "weight_decay": 0.05,
            "warmup_ratio": 0.1,
            "margin": 0.0,
        }
    else:
        chosen = {
            "optimiser": "sgd",
            "learning_rate": 0.04,
            "layer_decay": 1.0,
            "weight_decay": 0.0,
            "warmup_ratio": 0.05,
            "margin": 3.0 if often else 2.0,
        }
    if evidence.kind == "drawings":
        return chosen | {"augmentation": "strong" if often else "mild"}
    if root_parameters >= _LARGE_ROOT:
        return chosen | evidence.changes
    # what a small root sees of a photograph is small already, and loses more by a crop than it gains
    return chosen | {"augmentation": "mild", "crop_area_min": 1.0, "crop_aspect_min": 1.0, "flip": evidence.flips}


def refuse_computed(method: Method, settings: Mapping[str, Any], preprocessing: str = "published") -> None:
    """InputError for a start value that a person gave and that the recipe of a probe would replace unseen."""
    if method.recipe != "probe":
        return
    text = "`--set recipe=given` with it leaves the recipe to you, and so does --method finetune-tuned"
    if preprocessing != "published":
        raise InputError(f"method {method.name} computes how images are changed, --preprocessing or not: {text}")
    for setting in settings:
        if setting.removeprefix("defaults.") in _COMPUTED and setting.startswith("defaults."):
            raise InputError(f"method {method.name} computes {setting.removeprefix('defaults.')}: {text}")


def plan_untrained(method: Method, parent: Parent, probe: Probe, evidence: Evidence) -> Plan:
    """A child that is its parent with a closed-form head: nothing but the head is new, and nothing is trained.

    Where the head reads several views of each photograph, they are cropped, and mirrored where that helps.
    """
    start = {**method.defaults, **parent.hyperparameters}
    values = start | {"head_features": probe.features}
    if views_of_a_head(method, evidence.kind) > 1:
        values |= evidence.changes
    return Plan(values, {}, parent.num_blocks, parent.adapters, frozenset({"head"}), tuple(changes(start, values)))


def plan_refitted(method: Method, parent: Parent) -> Plan:
    """A child that is its parent with its head fitted anew, in closed form."""
    values = {**method.defaults, **parent.hyperparameters}
    return Plan(values, {}, parent.num_blocks, parent.adapters, frozenset({"head"}), ())


def plan_child(
    method: Method, parent: Parent, evidence: Evidence, samples: int, root_parameters: int, image_size: int | None
) -> Plan:
    """The one child of a task, trained on all of its samples: embedding, class token, positions stay shared."""
    probe = evidence.best
    if not is_worth_training(method, evidence, samples, root_parameters):
        return plan_untrained(method, parent, probe, evidence)
    start = {**method.defaults, **parent.hyperparameters}
    values = dict(start)
    if method.recipe == "probe":
        values |= recipe(evidence, samples, root_parameters)
    if method.head_features == "probe":
        values["head_features"] = probe.features
    if image_size is not None:
        values["image_size"] = image_size
    trained = _trained_slots(method, parent, probe.error)
    mutations = (*changes(start, values), *(Mutation("clone", slot=slot) for slot in trained))
    return Plan(values, {}, parent.num_blocks, parent.adapters, frozenset({*trained, "norm", "head"}), mutations)


def _trained_slots(method: Method, parent: Parent, error: float) -> Sequence[str]:
    """Slots between stem and norm that the child trains, in forward order."""
    if method.clone == "all":
        return [slot for slot in parent.slots if slot not in ("norm", "head")]
    count = trained_blocks(method, error, parent.num_blocks) if method.clone == "probe" else 0
    first = parent.num_blocks - count
    return [slot for slot in parent.slots if (number := parse(slot).number) is not None and number >= first]


def plan_trunk(
    method: Method,
    parent: Parent,
    evidence: Evidence,
    samples: int,
    root_parameters: int,
    image_size: int | None,
    error: float,
) -> Plan:
    """One task's path through a trunk, by the task's own recipe; `samples` are its share.

    `error` says how many blocks all of the paths train, as `trunk_error` has it of the tasks' probes.
    """
    together = method.model_copy(update={"training": "always"})
    root = replace(evidence.root, error=error)
    return plan_child(together, parent, replace(evidence, probes=(root,)), samples, root_parameters, image_size)


def trunk_error(method: Method, errors: Sequence[float], root_parameters: int) -> float:
    """The error that stands for all tasks of a trunk: the largest, for at most two thirds of the blocks.

    That the lowest third is trained as well gains nothing, unless a small root is wrong on most kinds of image: where
    its mean error is that of a hard task, it was made for other images than these.
    """
    hard = method.clone_errors[1] / 100
    foreign = root_parameters < _LARGE_ROOT and fmean(errors) > hard
    return max(errors) if foreign else min(max(errors), hard)


def trunk_batch_size(method: Method, root_parameters: int) -> int:
    """Samples of a trunk's step: AdamW on a large root gains more from twice the steps than from wider ones."""
    return method.batch_size if root_parameters >= _LARGE_ROOT else method.trunk_batch_size


def shares_by_need(method: Method, errors: Sequence[float], tasks: int) -> list[float]:
    """How tasks that are trained divide the samples of so many `tasks`, by the errors of their probes.

    In equal shares: an easy task takes half of one, a middling one a whole, and the hard ones what is left, in equal
    parts of at most four. What nobody takes is not spent.
    """
    easy, hard = (threshold / 100 for threshold in method.clone_errors)
    shares = [0.5 if error <= easy else 1.0 for error in errors]
    needy = [number for number, error in enumerate(errors) if error > hard]
    rest = tasks - sum(share for number, share in enumerate(shares) if number not in needy)
    for number in needy:
        shares[number] = min(rest / len(needy), _MOST_SHARES)
    return shares
