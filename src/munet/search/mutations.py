"""From a parent to the plan of a child (muNet sec. 2.1, mu2Net+ sec. 3): the four mutations and the order of draws."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from munet.model.slots import STEM, adapter, block, block_number, body, is_adapter
from munet.search.lineage import Ancestor, Found, find
from munet.search.method import Method
from munet.search.probabilities import MutationProbabilities
from munet.search.space import PREPROCESSING_KEYS, Value, neighbour

_KINDS = ("clone", "insert_adapter", "remove_block", "restore_block")


@dataclass(frozen=True)
class Mutation:
    """One difference between a child and its parent.

    `kind` is "clone", "insert_adapter", "remove_block" or "restore_block" with a `slot`, or "set" with the `name` of a
    hyperparameter and its `old` and `new` value.
    """

    kind: str
    slot: str | None = None
    name: str | None = None
    old: Value | None = None
    new: Value | None = None

    def to_json(self) -> dict[str, Any]:
        if self.kind == "set":
            return {"kind": "set", "name": self.name, "old": self.old, "new": self.new}
        return {"kind": self.kind, "slot": self.slot}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Mutation":
        """ValueError for a mutation of an unknown kind."""
        if data["kind"] == "set":
            return cls("set", name=data["name"], old=data["old"], new=data["new"])
        if data["kind"] not in _KINDS:
            raise ValueError(f"unknown kind of mutation {data['kind']!r}")
        return cls(data["kind"], slot=data["slot"])


@dataclass(frozen=True)
class Parent(Ancestor):
    """What the search needs to know of a parent. The root has no task and no head. `slots` are in forward order."""

    id: str
    task: str | None
    mutation_probabilities: Mapping[str, float]
    num_blocks: int
    adapters: frozenset[int]
    ancestors: tuple[Ancestor, ...] = ()  # those that are alive, the nearest first

    @property
    def lineage(self) -> tuple[Ancestor, ...]:
        return (self, *self.ancestors)


@dataclass(frozen=True)
class Plan:
    """A child before it is made. `cloned`: the slots that it trains, as copies or newly initialised."""

    hyperparameters: dict[str, Value]
    mutation_probabilities: dict[str, float]
    num_blocks: int
    adapters: frozenset[int]
    cloned: frozenset[str]
    mutations: tuple[Mutation, ...]

    @property
    def image_size(self) -> int:
        """Side of the child's input in pixels."""
        return int(self.hyperparameters["image_size"])


@dataclass(frozen=True)
class SharedPreprocessing:
    """Preprocessing values of a whole generation, and the entries of mu learned with them."""

    values: Mapping[str, Value]
    mutation_probabilities: Mapping[str, float]


_NO_CROPS: dict[str, Value] = {"crop": False, "crop_area_min": 1.0, "crop_aspect_min": 1.0}


def sample_preprocessing(
    method: Method,
    best_hyperparameters: Mapping[str, Value] | None,
    best_probabilities: Mapping[str, float] | None,
    rng: np.random.Generator,
    *,
    image_size: int | None = None,
    mutate: bool = True,
) -> SharedPreprocessing:
    """What all children of a generation share where preprocessing_scope is "generation", as in the published code.

    Starts from the active task's best model. A task without one passes the root's hyperparameters, which hold the
    image size, or None; what is missing comes from the method's defaults. Draws as `sample_child` step 2 does, except
    that a mu that is one hyperparameter counts with the method's own value (published code of mu2Net). Without
    `mutate` the values are those it starts from: so it is in generations that begin in the seed pass (code of muNet).
    """
    learned = method.mutation_probabilities == "learned"
    mu = MutationProbabilities(method, (best_probabilities or {}) if learned else {}, rng)
    start = _filled(method, best_hyperparameters or {}, adapters=False)
    values = {key: start[key] for key in start if key in PREPROCESSING_KEYS}
    if image_size is not None:
        values["image_size"] = image_size
    if method.tune and mutate:
        values = _uncropped(_moved(method, values, set() if image_size is None else {"image_size"}, mu))
    names = {f"hyperparameter:{key}" for key in values}
    return SharedPreprocessing(values, {name: mu.table[name] for name in sorted(names & mu.table.keys())})


def sample_child(
    parent: Parent,
    method: Method,
    rng: np.random.Generator,
    *,
    preprocessing: SharedPreprocessing | None = None,
    image_size: int | None = None,
    depth: int | None = None,
) -> Plan:
    """Plan of one child. `image_size` fixes it for the run; `depth` is the root's number of blocks.

    Every draw comes from `rng`, in this order; a decision is a uniform draw below mu (see `probabilities`, which draws
    first where mu itself moves), and a hyperparameter that changes draws its direction after it:

    1. mu itself, where it is one hyperparameter of the model; its new value counts from here on;
    2. the hyperparameters that the method lists, by name, without those that the generation or the run fixes;
    3. the number of blocks;
    4. an adapter before each block that has none, from the bottom;
    5. a clone of each layer that is neither trainable anyway nor held frozen, in forward order.
    """
    if method.preprocessing_scope == "generation" and preprocessing is None:
        raise ValueError("preprocessing_scope = 'generation' needs the values of sample_preprocessing")
    inherited = dict(parent.mutation_probabilities)
    if preprocessing is not None:
        inherited |= preprocessing.mutation_probabilities
    mu = MutationProbabilities(method, inherited, rng)
    mu.mutate_rate()

    start = _filled(method, parent.hyperparameters, adapters=bool(parent.adapters) or method.adapters != "never")
    values = start | _fixed(preprocessing, image_size, start)
    if method.tune:
        fixed = set() if image_size is None else {"image_size"}
        values = _moved(method, values, fixed if preprocessing is None else PREPROCESSING_KEYS, mu)
    values = _uncropped(values)
    num_blocks = _num_blocks(parent, method, depth, mu)
    adapters = _adapters(parent, method, num_blocks, mu)
    cloned, drawn = _clones(parent, method, values, num_blocks, adapters, mu)

    mutations = (
        *changes(start, values),
        *(Mutation("remove_block", slot=block(k)) for k in range(num_blocks, parent.num_blocks)),
        *(Mutation("restore_block", slot=block(k)) for k in range(parent.num_blocks, num_blocks)),
        *(Mutation("insert_adapter", slot=adapter(k)) for k in sorted(adapters - parent.adapters)),
        *(Mutation("clone", slot=slot) for slot in drawn),
    )
    return Plan(values, mu.table, num_blocks, adapters, cloned, mutations)


def seed_child(
    parent: Parent,
    method: Method,
    *,
    preprocessing: SharedPreprocessing | None = None,
    image_size: int | None = None,
) -> Plan:
    """Child of muNet's seed pass: no mutation at all, only the head and what no other task owns is trained."""
    start = _filled(method, parent.hyperparameters, adapters=bool(parent.adapters))
    values = _uncropped(start | _fixed(preprocessing, image_size, start))
    cloned = {"head"}
    for slot in parent.slots:
        found = find(slot, parent.lineage, values)
        if found == "own" or (found is None and _always_trained(slot, found, method)):
            cloned.add(slot)
    probabilities, changed = dict(parent.mutation_probabilities), tuple(changes(start, values))
    return Plan(values, probabilities, parent.num_blocks, parent.adapters, frozenset(cloned), changed)


def _filled(method: Method, hyperparameters: Mapping[str, Value], *, adapters: bool) -> dict[str, Value]:
    """The parent's values, and the method's for what it lacks; no adapter_dim where there is nothing to use it."""
    defaults = {key: value for key, value in method.defaults.items() if adapters or key != "adapter_dim"}
    return {**defaults, **hyperparameters}


def _fixed(
    preprocessing: SharedPreprocessing | None, image_size: int | None, start: Mapping[str, Value]
) -> dict[str, Value]:
    """What a generation or a run fixes; an augmentation that a child would start with is its generation's, or none."""
    fixed = dict(preprocessing.values) if preprocessing is not None else {}
    if preprocessing is not None and "augmentation" in start:
        fixed.setdefault("augmentation", "none")
    return fixed if image_size is None else {**fixed, "image_size": image_size}


def _uncropped(values: dict[str, Value]) -> dict[str, Value]:
    """`values` without random crops where an augmentation moves the images already, as that of drawings does."""
    if values.get("augmentation", "none") == "none":
        return values
    return values | {key: off for key, off in _NO_CROPS.items() if key in values}


def _moved(method: Method, values: dict[str, Value], fixed: Set[str], mu: MutationProbabilities) -> dict[str, Value]:
    """`values` with each tunable one moved to a neighbour with probability mu, in the order of their names."""
    moved = dict(values)
    for key in sorted((method.space.keys() & values.keys()) - fixed):
        listed = method.space[key]
        # A model of a size that the method does not list was put there on purpose; and new adapter sizes need adapters
        if (key == "image_size" and values[key] not in listed) or (key == "adapter_dim" and method.adapters == "never"):
            continue
        if mu.decides(f"hyperparameter:{key}"):
            moved[key] = neighbour(listed, values[key], mu.rng)
    return moved


def _num_blocks(parent: Parent, method: Method, depth: int | None, mu: MutationProbabilities) -> int:
    deepest = max(parent.num_blocks, depth or 0)
    if method.layer_removal == "paper":
        return parent.num_blocks - int(parent.num_blocks > 1 and mu.decides("remove:block"))
    if method.layer_removal == "neighbour" and deepest > 1 and mu.decides("remove:block"):
        return neighbour(range(1, deepest + 1), parent.num_blocks, mu.rng)
    return parent.num_blocks


def _adapters(parent: Parent, method: Method, num_blocks: int, mu: MutationProbabilities) -> frozenset[int]:
    kept = {k for k in parent.adapters if k < num_blocks}
    places = [k for k in range(num_blocks) if k not in kept]
    if method.adapters == "never":
        return frozenset(kept)
    if method.adapters == "always":
        return frozenset(kept.union(places))
    return frozenset(kept.union(k for k in places if mu.decides(f"insert:{adapter(k)}")))


def _clones(
    parent: Parent,
    method: Method,
    values: Mapping[str, Value],
    num_blocks: int,
    adapters: frozenset[int],
    mu: MutationProbabilities,
) -> tuple[frozenset[str], list[str]]:
    """All trainable slots of the child, and those among them that a mutation made so, in forward order.

    What the active task alone owns is trained on, wherever in the lineage it is found; what others own is frozen
    unless it is cloned; what is nowhere found is new, and trained.
    """
    cloned = {"norm", "head"}
    drawn = []
    for slot in _slots(parent, num_blocks, adapters):
        if slot in cloned or _held(slot, method):
            continue
        found = find(slot, parent.lineage, values)
        if _always_trained(slot, found, method):
            cloned.add(slot)
        elif _copied(slot, method, mu):
            drawn.append(slot)
    return frozenset(cloned.union(drawn)), drawn


def _always_trained(slot: str, found: Found | None, method: Method) -> bool:
    """Whether a child trains a slot without any mutation."""
    if found is not None:
        return found == "own" and method.clone_unlocked == "always"
    if slot == "posembed":  # a new size is cut from the pretrained grid, which nobody trained for this task yet
        return method.resized_posembed == "cloned" and method.clone != "none"
    return is_adapter(slot)


def _copied(slot: str, method: Method, mu: MutationProbabilities) -> bool:
    if method.clone in ("sampled", "probe"):
        return mu.decides(f"clone:{slot}")
    return method.clone == "all"


def _held(slot: str, method: Method) -> bool:
    """Whether freeze_below keeps a slot as it is, whatever else holds."""
    below = method.freeze_below
    if below is None:
        return False
    number = block_number(slot)
    return slot in STEM or (number is not None and number < below)


def _slots(parent: Parent, num_blocks: int, adapters: frozenset[int]) -> list[str]:
    """Slots of the child in forward order."""
    stem = [slot for slot in STEM if slot in parent.slots]
    return [*stem, *body(num_blocks, adapters), "norm", *(slot for slot in ("pool",) if slot in parent.slots), "head"]


def changes(start: Mapping[str, Value], values: Mapping[str, Value]) -> list[Mutation]:
    changed = [key for key in sorted(values) if values[key] != start.get(key)]
    return [Mutation("set", name=key, old=start.get(key), new=values[key]) for key in changed]
