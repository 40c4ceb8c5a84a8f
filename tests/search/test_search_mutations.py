"""From a parent to a plan: what is drawn, what is forced, and how often."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from munet.rng import numpy_rng
from munet.search import Mutation, SharedPreprocessing, load_method, sample_child, sample_preprocessing, seed_child
from munet.search.probabilities import MutationProbabilities
from munet.search.space import PREPROCESSING_KEYS

STEM = {"embedding", "cls", "posembed"}
BLOCKS = {"block.0", "block.1", "block.2"}
DRAWS = 3000


def method_of(name="munet", **overrides):
    return load_method(name, overrides)


def never(**overrides):
    return method_of(mutation_probability="0", **overrides)


def always(**overrides):
    return method_of(mutation_probability="1", **overrides)


def rng(seed=0):
    return np.random.default_rng(seed)


def kinds(plan):
    return [mutation.kind for mutation in plan.mutations]


def share(parent, method, happened, **fixed):
    """Share of DRAWS children for which `happened`."""
    stream = rng(7)
    return sum(happened(sample_child(parent, method, stream, **fixed)) for _ in range(DRAWS)) / DRAWS


def near(probability):
    """Within four standard deviations of a share of DRAWS."""
    return pytest.approx(probability, abs=4 * max(probability * (1 - probability) / DRAWS, 1e-9) ** 0.5)


# What is always so ---------------------------------------------------------------------------------------------------


def test_without_mutations_only_norm_head_and_unlocked_slots_are_trained(make_parent):
    parent = make_parent(unlocked=("block.1", "head"))
    plan = sample_child(parent, never(), rng())
    assert plan.cloned == {"norm", "head", "block.1"}
    assert plan.mutations == ()
    assert (plan.num_blocks, plan.adapters) == (3, frozenset())


def test_defaults_fill_what_the_parent_lacks_without_counting_as_mutations(make_parent):
    method = never()
    plan = sample_child(make_parent(root=True, momentum=0.5), method, rng())
    assert plan.hyperparameters == {**method.defaults, "momentum": 0.5, "image_size": 32}
    assert plan.mutations == ()


def test_adapter_dim_is_only_given_to_models_that_may_hold_adapters(make_parent):
    plus = method_of("mu2net-plus")
    assert "adapter_dim" not in sample_child(make_parent(), plus, rng()).hyperparameters
    assert sample_child(make_parent(adapters=(1,)), plus, rng()).hyperparameters["adapter_dim"] == 32
    sampled = method_of("mu2net-plus", adapters="sampled")
    assert "adapter_dim" in sample_child(make_parent(), sampled, rng()).hyperparameters


def test_a_value_of_another_method_is_kept_or_moves_to_its_neighbour(make_parent):
    parent = make_parent(momentum=0.6, jpeg_quality=0.05)
    assert sample_child(parent, never(), rng()).hyperparameters["momentum"] == 0.6
    moved = {sample_child(parent, always(), rng(seed)).hyperparameters["momentum"] for seed in range(20)}
    assert moved == {0.6, 0.7}
    assert sample_child(parent, always(), rng()).hyperparameters["jpeg_quality"] == 0.05


def test_the_same_stream_gives_the_same_plan(make_parent):
    parent, method = make_parent(adapters=(0,)), method_of("mu2net-plus", adapters="sampled")
    plans = [sample_child(parent, method, numpy_rng(1, "mnist", 0, 2, child, "search")) for child in (3, 3, 4)]
    assert plans[0] == plans[1] != plans[2]


# Order of draws ------------------------------------------------------------------------------------------------------


class Counting:
    """Says yes to every decision and steps up; counts the draws."""

    def __init__(self):
        self.draws = 0

    def random(self):
        self.draws += 1
        return 0.0


def counting() -> Any:
    return Counting()


def test_decisions_fall_in_the_documented_order(make_parent, monkeypatch):
    taken = []
    monkeypatch.setattr(MutationProbabilities, "decides", lambda self, decision: bool(taken.append(decision)))
    method = method_of("mu2net-plus", adapters="sampled")
    sample_child(make_parent(adapters=(1,)), method, rng())
    assert taken == [
        *(f"hyperparameter:{key}" for key in sorted(method.space)),
        "remove:block",
        *("insert:adapter.0", "insert:adapter.2"),
        *("clone:embedding", "clone:cls", "clone:posembed", "clone:block.0"),
        *("clone:adapter.1", "clone:block.1", "clone:block.2"),
    ]


def test_number_of_draws(make_parent):
    stream = counting()
    plan = sample_child(make_parent(), always(), stream)
    # 14 hyperparameters with a direction each, the top block, two adapters, stem and two blocks
    assert stream.draws == 2 * 14 + 1 + 2 + 5
    # stepping up changes all hyperparameters but the flip, which is at the upper end
    assert kinds(plan) == ["set"] * 13 + ["remove_block"] + ["insert_adapter"] * 2 + ["clone"] * 5
    assert [m.slot for m in plan.mutations if m.kind == "clone"] == [
        "embedding",
        "cls",
        "posembed",
        "block.0",
        "block.1",
    ]


# Clones --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slot", sorted(STEM | BLOCKS))
def test_a_locked_layer_is_cloned_with_probability_mu(make_parent, slot):
    method = method_of("munet", layer_removal="never", **{"space.image_size": "none"})
    assert share(make_parent(), method, lambda plan: Mutation("clone", slot=slot) in plan.mutations) == near(0.1)
    assert share(make_parent(), method, lambda plan: slot in plan.cloned) == near(0.1)


def test_all_and_none(make_parent):
    parent = make_parent(root=True)
    assert sample_child(parent, never(clone="all"), rng()).cloned == STEM | BLOCKS | {"norm", "head"}
    assert sample_child(parent, always(clone="none", adapters="never"), rng()).cloned == {"norm", "head"}


def test_unlocked_layers_may_be_drawn_as_in_the_text_of_the_papers(make_parent):
    parent = make_parent(unlocked=("block.1", "norm", "head"))
    assert sample_child(parent, never(clone_unlocked="sampled"), rng()).cloned == {"norm", "head"}
    plan = sample_child(parent, always(clone_unlocked="sampled", layer_removal="never", adapters="never"), rng())
    assert plan.cloned >= {"block.0", "block.1", "block.2"}


def test_freeze_below_holds_stem_and_lower_blocks(make_parent):
    method = load_method("finetune-full", {"freeze_below": "1", "resized_posembed": "shared"})
    assert sample_child(make_parent(root=True), method, rng()).cloned == {"block.1", "block.2", "norm", "head"}
    top = load_method("finetune-full", {"freeze_below": "3"})
    assert sample_child(make_parent(root=True), top, rng()).cloned == {"norm", "head"}
    resized = sample_child(make_parent(root=True), top, rng(), image_size=64)
    assert resized.cloned == {"norm", "head"}


def test_full_fine_tuning_and_multi_head(make_parent):
    parent = make_parent(root=True)
    full = sample_child(parent, load_method("finetune-full"), rng())
    assert full.cloned == STEM | BLOCKS | {"norm", "head"}
    assert full.hyperparameters == {**load_method("finetune-full").defaults, "image_size": 32}
    assert sample_child(parent, load_method("multi-head"), rng()).cloned == {"norm", "head"}


def test_attention_pooling_is_a_layer_like_any_other(make_parent):
    parent = make_parent()
    slots = (*parent.slots[:-1], "pool", "head")
    parent = replace(parent, slots=slots, locked=frozenset(slots))
    assert "pool" not in sample_child(parent, never(), rng()).cloned
    assert "pool" in sample_child(parent, never(clone="all"), rng()).cloned


def test_a_root_without_class_token_has_no_such_slot(make_parent):
    parent = make_parent(root=True)
    slots = tuple(slot for slot in parent.slots if slot != "cls")
    parent = replace(parent, slots=slots, locked=frozenset(slots))
    assert sample_child(parent, never(clone="all"), rng()).cloned == {"embedding", "posembed", *BLOCKS, "norm", "head"}


# Position embedding and image size -----------------------------------------------------------------------------------


def test_a_resized_position_embedding_is_shared_or_cloned(make_parent):
    parent = make_parent()
    assert "posembed" not in sample_child(parent, never(), rng(), image_size=64).cloned
    plan = sample_child(parent, never(resized_posembed="cloned"), rng(), image_size=64)
    assert "posembed" in plan.cloned
    assert plan.mutations == (Mutation("set", name="image_size", old=32, new=64),)
    assert "posembed" not in sample_child(parent, never(resized_posembed="cloned"), rng(), image_size=32).cloned
    frozen = never(resized_posembed="cloned", clone="none")
    assert "posembed" not in sample_child(parent, frozen, rng(), image_size=64).cloned


def test_an_unlocked_position_embedding_of_another_size_is_not_what_the_child_gets(make_parent):
    parent = make_parent(unlocked=("posembed",))
    assert "posembed" in sample_child(parent, never(), rng()).cloned
    assert "posembed" not in sample_child(parent, never(), rng(), image_size=64).cloned


def test_a_fixed_image_size_is_never_moved(make_parent):
    plans = [sample_child(make_parent(), always(), rng(seed), image_size=48) for seed in range(20)]
    assert {plan.hyperparameters["image_size"] for plan in plans} == {48}


def test_an_image_size_that_is_not_listed_stays(make_parent):
    plans = [sample_child(make_parent(image_size=40), always(), rng(seed)) for seed in range(20)]
    assert {plan.hyperparameters["image_size"] for plan in plans} == {40}
    plans = [sample_child(make_parent(image_size=64), always(), rng(seed)) for seed in range(20)]
    assert {plan.hyperparameters["image_size"] for plan in plans} == {48, 80}


# Blocks --------------------------------------------------------------------------------------------------------------


def test_the_top_block_goes_with_probability_mu(make_parent):
    assert share(make_parent(), method_of(), lambda plan: plan.num_blocks == 2) == near(0.1)
    plan = sample_child(make_parent(adapters=(0, 2)), always(), rng())
    assert (plan.num_blocks, plan.adapters) == (2, {0, 1})
    assert Mutation("remove_block", slot="block.2") in plan.mutations
    assert "block.2" not in plan.cloned
    assert "adapter.2" not in plan.cloned


def test_the_last_block_never_goes(make_parent):
    for rule in ("paper", "neighbour"):
        plans = [sample_child(make_parent(1), always(layer_removal=rule), rng(seed)) for seed in range(20)]
        assert {plan.num_blocks for plan in plans} == {1}


def test_two_blocks_may_become_one(make_parent):
    plan = sample_child(make_parent(2), always(), rng())
    assert plan.num_blocks == 1
    assert Mutation("remove_block", slot="block.1") in plan.mutations


def test_neighbour_removal_halves_the_probability_at_full_depth(make_parent):
    method = method_of(layer_removal="neighbour")
    assert share(make_parent(), method, lambda plan: plan.num_blocks == 2, depth=3) == near(0.05)
    assert share(make_parent(), method, lambda plan: plan.num_blocks != 3, depth=3) == near(0.05)
    assert share(make_parent(2), method, lambda plan: plan.num_blocks == 3, depth=3) == near(0.05)
    assert share(make_parent(2), method, lambda plan: plan.num_blocks == 1, depth=3) == near(0.05)


def test_a_block_that_comes_back_is_locked_until_it_is_cloned(make_parent):
    parent = make_parent(2)
    method = method_of(layer_removal="neighbour", adapters="never", clone="none", mutation_probability="1")
    plans = [sample_child(parent, method, rng(seed), depth=3) for seed in range(20)]
    grown = [plan for plan in plans if plan.num_blocks == 3]
    assert grown
    assert all(Mutation("restore_block", slot="block.2") in plan.mutations for plan in grown)
    assert all("block.2" not in plan.cloned for plan in grown)
    cloning = [sample_child(parent, always(layer_removal="neighbour"), rng(seed), depth=3) for seed in range(20)]
    assert all("block.2" in plan.cloned for plan in cloning if plan.num_blocks == 3)


def test_never_removed(make_parent):
    assert sample_child(make_parent(), always(layer_removal="never"), rng()).num_blocks == 3


# Adapters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_adapter_is_inserted_before_each_block_with_probability_mu(make_parent, place):
    method = method_of(layer_removal="never")
    assert share(make_parent(), method, lambda plan: place in plan.adapters) == near(0.1)


def test_new_adapters_are_trained_and_old_ones_are_layers_like_others(make_parent):
    parent = make_parent(adapters=(1,))
    plan = sample_child(parent, never(adapters="always"), rng())
    assert plan.adapters == {0, 1, 2}
    assert plan.cloned == {"norm", "head", "adapter.0", "adapter.2"}
    assert [m.slot for m in plan.mutations if m.kind == "insert_adapter"] == ["adapter.0", "adapter.2"]


def test_never_keeps_the_adapters_that_are_there(make_parent):
    assert sample_child(make_parent(adapters=(1,)), always(adapters="never"), rng()).adapters == {1}


def test_a_new_adapter_dimension_makes_all_adapters_anew(make_parent):
    parent = make_parent(adapters=(0, 1))
    method = method_of("munet", mutation_probability="1", clone="none", layer_removal="never")
    plan = sample_child(parent, method, rng())
    assert plan.hyperparameters["adapter_dim"] in (16, 64)
    assert plan.cloned == {"norm", "head", "adapter.0", "adapter.1", "adapter.2"}


def test_the_adapter_baseline(make_parent):
    method = load_method("multi-head", {"adapters": "always", "defaults.adapter_dim": "512"})
    plan = sample_child(make_parent(root=True), method, rng())
    assert plan.cloned == {"adapter.0", "adapter.1", "adapter.2", "norm", "head"}
    assert plan.hyperparameters["adapter_dim"] == 512


# Hyperparameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "probability"),
    [
        ("learning_rate", 0.01, 0.1),
        ("learning_rate", 0.5, 0.05),
        ("flip", True, 0.05),
        ("schedule", "cosine", 0.1),
        ("schedule", "constant", 0.05),
        ("crop_area_min", 1.0, 0.05),
        ("image_size", 32, 0.1),
    ],
)
def test_a_hyperparameter_changes_with_mu_inside_its_list_and_half_of_it_at_the_ends(
    make_parent, key, value, probability
):
    parent = make_parent(**{key: value})
    changed = share(parent, method_of(), lambda plan: plan.hyperparameters[key] != value)
    assert changed == near(probability)


def test_without_tuning_only_the_structure_mutates(make_parent):
    method = always(tune="false")
    plan = sample_child(make_parent(), method, rng())
    assert plan.hyperparameters == {**method.defaults, "image_size": 32}
    assert set(kinds(plan)) == {"remove_block", "insert_adapter", "clone"}


def test_changes_are_recorded_with_old_and_new(make_parent):
    parent = make_parent(learning_rate=0.02)
    plan = sample_child(parent, always(), counting())
    assert Mutation("set", name="learning_rate", old=0.02, new=0.05) in plan.mutations
    assert Mutation("set", name="momentum", old=0.9, new=0.95) in plan.mutations
    assert not any(mutation.name == "flip" for mutation in plan.mutations)  # at the upper end already


# Preprocessing of a generation ---------------------------------------------------------------------------------------


def test_shared_preprocessing_comes_from_the_best_model(make_parent):
    method = always(preprocessing_scope="generation")
    shared = sample_preprocessing(method, {"brightness": 0.05, "image_size": 64, "learning_rate": 0.5}, {}, counting())
    assert shared.values["brightness"] == 0.1
    assert shared.values["image_size"] == 80
    assert "learning_rate" not in shared.values
    plan = sample_child(make_parent(brightness=0.0), method, rng(), preprocessing=shared)
    assert {key: plan.hyperparameters[key] for key in shared.values} == shared.values
    assert Mutation("set", name="brightness", old=0.0, new=0.1) in plan.mutations


def test_shared_preprocessing_of_a_new_task_starts_at_the_defaults():
    method = never(preprocessing_scope="generation")
    values = {
        key: value
        for key, value in method.defaults.items()
        if key in ("crop_area_min", "crop_aspect_min", "flip", "brightness", "contrast", "saturation", "hue")
    }
    assert sample_preprocessing(method, None, None, rng()).values == values
    assert sample_preprocessing(method, {"image_size": 32}, None, rng()).values == {**values, "image_size": 32}


def test_shared_preprocessing_keeps_a_fixed_image_size_and_heeds_tune():
    method = always(preprocessing_scope="generation")
    assert sample_preprocessing(method, {"image_size": 32}, None, rng(), image_size=48).values["image_size"] == 48
    still = always(preprocessing_scope="generation", tune="false")
    assert sample_preprocessing(still, {"image_size": 32}, None, rng()).values["image_size"] == 32


def test_shared_preprocessing_of_mu2net_uses_the_methods_own_mu():
    method = load_method("mu2net", {"preprocessing_scope": "generation"})
    draw = counting()
    draw.random = lambda: 0.25  # above the method's 0.2, below the model's 0.3
    shared = sample_preprocessing(method, {"brightness": 0.05}, {"mu": 0.3}, draw)
    assert shared.values["brightness"] == 0.05
    assert shared.mutation_probabilities == {}


def test_shared_preprocessing_starts_from_the_probabilities_of_the_best_model():
    method = load_method("mu2net-plus", {"preprocessing_scope": "generation"})
    draw = counting()
    draw.random = lambda: 0.25  # above the method's 0.2, so no probability moves
    learned = {"hyperparameter:brightness": 0.3, "hyperparameter:learning_rate": 0.3}
    shared = sample_preprocessing(method, {"brightness": 0.05, "flip": False}, learned, draw)
    assert shared.values["brightness"] == 0.1  # by its own 0.3
    assert shared.values["flip"] is False  # by the method's 0.2
    assert shared.mutation_probabilities["hyperparameter:brightness"] == 0.3
    assert "hyperparameter:learning_rate" not in shared.mutation_probabilities


def test_shared_preprocessing_holds_nothing_of_adapters():
    method = method_of("mu2net-plus", preprocessing_scope="generation")
    shared = sample_preprocessing(method, None, None, rng(), image_size=48)
    assert set(shared.values) <= PREPROCESSING_KEYS


def test_siblings_share_their_preprocessing_and_nothing_else(make_parent):
    method = method_of("mu2net-plus", preprocessing_scope="generation", mutation_probability="0.3")
    shared = sample_preprocessing(method, {"image_size": 32}, {}, rng(1))
    plans = [sample_child(make_parent(), method, rng(seed), preprocessing=shared) for seed in range(30)]
    assert {tuple(plan.hyperparameters[key] for key in sorted(shared.values)) for plan in plans} == {
        tuple(shared.values[key] for key in sorted(shared.values))
    }
    assert len({plan.hyperparameters["learning_rate"] for plan in plans}) == 3
    assert all(shared.mutation_probabilities.items() <= plan.mutation_probabilities.items() for plan in plans)
    assert set(shared.mutation_probabilities) == {f"hyperparameter:{key}" for key in shared.values}


def test_a_generation_needs_its_preprocessing(make_parent):
    with pytest.raises(ValueError, match="sample_preprocessing"):
        sample_child(make_parent(), method_of(preprocessing_scope="generation"), rng())


# The seed pass and the JSON form -------------------------------------------------------------------------------------


def test_a_seed_child_is_a_linear_probe(make_parent):
    method = method_of(seed_pass="true")
    plan = seed_child(make_parent(), method)
    assert (plan.cloned, plan.mutations, plan.num_blocks) == ({"head"}, (), 3)
    assert seed_child(make_parent(unlocked=("block.2",)), method).cloned == {"head", "block.2"}
    shared = SharedPreprocessing({"flip": False}, {})
    plan = seed_child(make_parent(), method, preprocessing=shared, image_size=48)
    assert [mutation.name for mutation in plan.mutations] == ["flip", "image_size"]
    assert (plan.hyperparameters["flip"], plan.image_size) == (False, 48)


def test_a_seed_child_has_all_that_its_parent_has(make_parent):
    method = method_of(seed_pass="true")
    plan = seed_child(make_parent(adapters=(1,), adapter_dim=64, mutation_probabilities={"mu": 0.3}), method)
    assert (plan.adapters, plan.mutation_probabilities) == ({1}, {"mu": 0.3})
    assert plan.hyperparameters["adapter_dim"] == 64
    plain = seed_child(make_parent(), method)
    assert "adapter_dim" not in plain.hyperparameters
    assert plain.hyperparameters == {key: v for key, v in method.defaults.items() if key != "adapter_dim"} | {
        "image_size": 32
    }


@pytest.mark.parametrize(
    ("mutation", "data"),
    [
        (Mutation("clone", slot="block.2"), {"kind": "clone", "slot": "block.2"}),
        (Mutation("insert_adapter", slot="adapter.1"), {"kind": "insert_adapter", "slot": "adapter.1"}),
        (Mutation("remove_block", slot="block.2"), {"kind": "remove_block", "slot": "block.2"}),
        (Mutation("restore_block", slot="block.2"), {"kind": "restore_block", "slot": "block.2"}),
        (
            Mutation("set", name="flip", old=True, new=False),
            {"kind": "set", "name": "flip", "old": True, "new": False},
        ),
    ],
)
def test_mutations_as_json(mutation, data):
    assert mutation.to_json() == data
    assert Mutation.from_json(data) == mutation


def test_an_unknown_mutation_is_refused():
    with pytest.raises(ValueError, match="unknown kind of mutation 'grow'"):
        Mutation.from_json({"kind": "grow", "slot": "block.0"})
