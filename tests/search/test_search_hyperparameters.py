"""The hyperparameters of a child: kept or moved, shared by a generation, or left alone in the seed pass."""

import pytest

from munet.search import Mutation, SharedPreprocessing, load_method, sample_child, sample_preprocessing, seed_child
from munet.search.space import PREPROCESSING_KEYS
from search_tools import always, counting, kinds, method_of, near, never, rng, share

# One child -----------------------------------------------------------------------------------------------------------


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


def test_a_fixed_image_size_is_never_moved(make_parent):
    plans = [sample_child(make_parent(), always(), rng(seed), image_size=48) for seed in range(20)]
    assert {plan.hyperparameters["image_size"] for plan in plans} == {48}


def test_an_image_size_that_is_not_listed_stays(make_parent):
    plans = [sample_child(make_parent(image_size=40), always(), rng(seed)) for seed in range(20)]
    assert {plan.hyperparameters["image_size"] for plan in plans} == {40}
    plans = [sample_child(make_parent(image_size=64), always(), rng(seed)) for seed in range(20)]
    assert {plan.hyperparameters["image_size"] for plan in plans} == {48, 80}


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


# The seed pass -------------------------------------------------------------------------------------------------------


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
