"""From a parent to a plan: which layers are cloned, removed, brought back or inserted, and how often."""

from dataclasses import replace

import pytest

from munet.rng import numpy_rng
from munet.search import Mutation, load_method, sample_child
from munet.search.probabilities import MutationProbabilities
from search_tools import always, counting, kinds, method_of, near, never, rng, share

STEM = {"embedding", "cls", "posembed"}
BLOCKS = {"block.0", "block.1", "block.2"}


# What is always so ---------------------------------------------------------------------------------------------------


def test_without_mutations_only_norm_head_and_unlocked_slots_are_trained(make_parent):
    parent = make_parent(unlocked=("block.1", "head"))
    plan = sample_child(parent, never(), rng())
    assert plan.cloned == {"norm", "head", "block.1"}
    assert plan.mutations == ()
    assert (plan.num_blocks, plan.adapters) == (3, frozenset())


def test_the_same_stream_gives_the_same_plan(make_parent):
    parent, method = make_parent(adapters=(0,)), method_of("mu2net-plus", adapters="sampled")
    plans = [sample_child(parent, method, numpy_rng(1, "mnist", 0, 2, child, "search")) for child in (3, 3, 4)]
    assert plans[0] == plans[1] != plans[2]


# Order of draws ------------------------------------------------------------------------------------------------------


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


# Position embedding --------------------------------------------------------------------------------------------------


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


# The JSON form -------------------------------------------------------------------------------------------------------


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
