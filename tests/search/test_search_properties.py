"""Whatever the parent and the method: a sampled child is a model that can be built and trained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.search import Mutation, Parent, Plan, load_method, preset_names, sample_child, sample_preprocessing
from munet.training import Preprocessing

SWITCHES = {
    "adapters": ("never", "sampled", "always"),
    "layer_removal": ("never", "paper", "neighbour"),
    "clone": ("sampled", "all", "none"),
    "clone_unlocked": ("always", "sampled"),
    "resized_posembed": ("shared", "cloned"),
    "preprocessing_scope": ("child", "generation"),
    "freeze_below": ("none", "0", "2"),
    "tune": ("true", "false"),
}
DEPTH = 4


@st.composite
def methods(draw):
    name = draw(st.sampled_from(preset_names()))
    overrides = {setting: draw(st.sampled_from(values)) for setting, values in SWITCHES.items()}
    if not load_method(name).defaults.get("adapter_dim"):
        overrides["defaults.adapter_dim"] = "32"
    return load_method(name, overrides)


@st.composite
def families(draw) -> tuple:
    """A method, a parent whose listed values are all listed, and the seed of a stream."""
    method = draw(methods())
    blocks = draw(st.integers(1, DEPTH))
    adapters = draw(st.frozensets(st.integers(0, blocks - 1)))
    keys = draw(st.frozensets(st.sampled_from(sorted(method.space)))) if method.space else frozenset()
    values = {key: draw(st.sampled_from(method.space[key])) for key in sorted(keys)}
    values.setdefault("image_size", 32)
    if draw(st.booleans()):  # as a model that the method `adaptive` made of drawings
        values |= {"augmentation": draw(st.sampled_from(("none", "mild", "strong"))), "crop_area_min": 1.0}
    if adapters:
        values.setdefault("adapter_dim", 32)
    slots = ["embedding", "cls", "posembed"]
    for k in range(blocks):
        slots += [f"adapter.{k}", f"block.{k}"] if k in adapters else [f"block.{k}"]
    slots += ["norm", "head"]
    locked = draw(st.frozensets(st.sampled_from(slots)))
    probabilities = {}
    if method.mutation_probabilities == "learned":
        named = st.sampled_from(["clone:block.0", "remove:block", "hyperparameter:momentum"])
        probabilities = draw(st.dictionaries(named, st.sampled_from(method.mutation_probability_values)))
    parent = Parent(
        id="p",
        task="mnist",
        hyperparameters=values,
        mutation_probabilities=probabilities,
        num_blocks=blocks,
        adapters=adapters,
        locked=locked,
        slots=tuple(slots),
    )
    return method, parent, draw(st.integers(0, 2**32))


def child_of(method, parent: Parent, seed: int) -> Plan:
    stream = np.random.default_rng(seed)
    shared = None
    if method.preprocessing_scope == "generation":
        shared = sample_preprocessing(method, parent.hyperparameters, parent.mutation_probabilities, stream)
    return sample_child(parent, method, stream, preprocessing=shared, depth=DEPTH)


@pytest.mark.parametrize("name", ["adaptive", "munet", "mu2net", "mu2net-plus"])
def test_images_are_not_moved_in_two_ways(name: str):
    """A parent of drawings, which an augmentation moves, and a method that would crop them."""
    method = load_method(name)
    values = {"image_size": 32, "augmentation": "mild", "crop_area_min": 1.0, "crop_aspect_min": 1.0}
    slots = ("embedding", "cls", "posembed", "block.0", "norm", "head")
    parent = Parent(
        id="p",
        task="mnist",
        hyperparameters=values,
        mutation_probabilities={},
        num_blocks=1,
        adapters=frozenset(),
        locked=frozenset(slots),
        slots=slots,
    )
    for seed in range(200):
        child = child_of(method, parent, seed).hyperparameters
        Preprocessing.from_hyperparameters(child, variant=method.preprocessing, mean=(0.5,), std=(0.5,))


@settings(max_examples=300, deadline=None)
@given(families())
def test_a_child_is_valid(family):
    method, parent, seed = family
    plan = child_of(method, parent, seed)
    assert 1 <= plan.num_blocks <= DEPTH
    assert abs(plan.num_blocks - parent.num_blocks) <= 1
    assert plan.adapters <= set(range(plan.num_blocks))
    slots = {"embedding", "cls", "posembed", "norm", "head"} | {f"block.{k}" for k in range(plan.num_blocks)}
    slots |= {f"adapter.{k}" for k in plan.adapters}
    assert {"norm", "head"} <= plan.cloned <= slots
    new = {f"adapter.{k}" for k in plan.adapters - parent.adapters}
    assert new <= plan.cloned


@settings(max_examples=300, deadline=None)
@given(families())
def test_what_only_the_task_owns_stays_trainable(family):
    method, parent, seed = family
    if method.clone_unlocked == "sampled" or method.freeze_below is not None:
        method = method.model_copy(update={"clone_unlocked": "always", "freeze_below": None})
    plan = child_of(method, parent, seed)
    lost = {f"block.{k}" for k in range(plan.num_blocks, DEPTH)}
    lost |= {f"adapter.{k}" for k in parent.adapters - plan.adapters}
    if plan.hyperparameters["image_size"] != parent.hyperparameters["image_size"]:
        lost.add("posembed")  # another layer, cut from the pretrained one
    assert set(parent.slots) - parent.locked - lost <= plan.cloned


@settings(max_examples=300, deadline=None)
@given(families())
def test_values_stay_in_their_lists(family):
    method, parent, seed = family
    plan = child_of(method, parent, seed)
    for key, values in method.space.items():
        if key in plan.hyperparameters and (key in parent.hyperparameters or key in method.defaults):
            unlisted = key in parent.hyperparameters and parent.hyperparameters[key] not in values
            assert unlisted or plan.hyperparameters[key] in values
    if method.mutation_probabilities != "fixed":
        assert set(plan.mutation_probabilities.values()) <= set(method.mutation_probability_values)


@settings(max_examples=300, deadline=None)
@given(families())
def test_mutations_tell_the_whole_difference(family):
    method, parent, seed = family
    plan = child_of(method, parent, seed)
    values = {**method.defaults, **parent.hyperparameters}
    blocks, adapters = parent.num_blocks, set(parent.adapters)
    for mutation in plan.mutations:
        assert Mutation.from_json(mutation.to_json()) == mutation
        if mutation.name is not None:
            assert values[mutation.name] == mutation.old != mutation.new
            values[mutation.name] = mutation.new
        elif mutation.kind == "clone":
            assert mutation.slot in plan.cloned
        else:
            assert mutation.slot is not None
            step = {"remove_block": -1, "restore_block": 1, "insert_adapter": 0}[mutation.kind]
            blocks += step
            adapters |= {int(mutation.slot.removeprefix("adapter."))} if not step else set()
    assert {key: values[key] for key in plan.hyperparameters} == plan.hyperparameters
    assert (blocks, {k for k in adapters if k < blocks}) == (plan.num_blocks, plan.adapters)


@settings(max_examples=100, deadline=None)
@given(families())
def test_the_same_seed_gives_the_same_child(family):
    method, parent, seed = family
    assert child_of(method, parent, seed) == child_of(method, parent, seed)
