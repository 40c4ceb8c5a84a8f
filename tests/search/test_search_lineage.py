"""Layers that a child takes from further up its lineage obey the rule for all: own ones are trained, others' drawn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from munet.search import Ancestor, load_method, sample_child, sample_preprocessing, seed_child
from munet.search.lineage import find

NEVER: dict[str, Any] = {"mutation_probability": "0"}
ROOT = Ancestor(
    {"image_size": 32},
    frozenset({"embedding", "cls", "posembed", "block.0", "block.1", "block.2", "norm"}),
    ("embedding", "cls", "posembed", "block.0", "block.1", "block.2", "norm"),
)


def own(slots, **hyperparameters):
    """An earlier model of the active task that alone owns `slots`."""
    return Ancestor({"image_size": 32, **hyperparameters}, frozenset(), tuple(slots))


def others(slots, **hyperparameters):
    return replace(own(slots, **hyperparameters), locked=frozenset(slots))


def below(parent, *ancestors):
    return replace(parent, ancestors=(*ancestors, ROOT))


def child(parent, seed=0, *, image_size=None, **overrides: Any):
    method = load_method("munet", overrides)
    return sample_child(parent, method, np.random.default_rng(seed), image_size=image_size, depth=3)


def test_the_nearest_fitting_layer_decides(make_parent):
    lineage = below(make_parent(image_size=64), own(("posembed",), image_size=48), others(("posembed",))).lineage
    found = {size: find("posembed", lineage, {"image_size": size}) for size in (64, 48, 32, 16)}
    assert found == {64: "locked", 48: "own", 32: "locked", 16: None}
    nearer = below(make_parent(image_size=64), own(("posembed",)), others(("posembed",))).lineage
    assert find("posembed", nearer, {"image_size": 32}) == "own"
    assert find("adapter.0", (own(("adapter.0",), adapter_dim=8),), {"adapter_dim": 8}) == "own"
    assert find("adapter.0", (own(("adapter.0",), adapter_dim=8),), {"adapter_dim": 16}) is None
    assert find("adapter.1", (own(("adapter.0",), adapter_dim=8),), {"adapter_dim": 8}) is None


@pytest.mark.parametrize("rule", ["cloned", "shared"])
def test_back_at_the_roots_image_size_its_position_embedding_is_drawn(make_parent, rule):
    parent = below(make_parent(image_size=64))
    assert "posembed" not in child(parent, image_size=32, resized_posembed=rule, **NEVER).cloned
    fixed = {"layer_removal": "never", "adapters": "never", "tune": "false", "resized_posembed": rule}
    plans = [child(parent, seed, image_size=32, **fixed) for seed in range(1000)]
    # 0.1 of 1,000, within four standard deviations
    assert sum("posembed" in plan.cloned for plan in plans) == pytest.approx(100, abs=38)
    # at a size that no one had, only the rule decides
    assert ("posembed" in child(parent, image_size=48, resized_posembed=rule, **NEVER).cloned) == (rule == "cloned")


@pytest.mark.parametrize("rule", ["cloned", "shared"])
def test_an_own_position_embedding_of_that_size_is_trained_on(make_parent, rule):
    parent = below(make_parent(image_size=64), own(("posembed",), image_size=48))
    assert "posembed" in child(parent, image_size=48, resized_posembed=rule, **NEVER).cloned
    assert "posembed" in seed_child(parent, load_method("munet"), image_size=48).cloned


def restored(parent, **overrides):
    plans = [child(parent, seed, layer_removal="neighbour", adapters="never", **overrides) for seed in range(300)]
    return [plan for plan in plans if plan.num_blocks == 3]


def test_a_restored_block_that_is_the_tasks_own_is_trained_on(make_parent):
    mine = restored(below(make_parent(2), own(("block.2",))))
    assert mine
    assert all("block.2" in plan.cloned for plan in mine)
    assert all(mutation.slot != "block.2" for plan in mine for mutation in plan.mutations if mutation.kind == "clone")
    theirs = restored(below(make_parent(2)))
    assert 0 < len(theirs) > sum("block.2" in plan.cloned for plan in theirs)


def test_adapters_of_a_size_that_an_ancestor_has_are_its_layers(make_parent):
    parent = make_parent(adapters=(0, 1), adapter_dim=32)
    settings: dict[str, Any] = {
        "mutation_probability": "1",
        "clone": "none",
        "layer_removal": "never",
        "adapters": "sampled",
    }
    settings["space.adapter_dim"] = "32, 64"

    def trained(*ancestors):
        plans = [child(below(parent, *ancestors), seed, **settings) for seed in range(40)]
        plans = [plan for plan in plans if plan.hyperparameters["adapter_dim"] == 64]
        assert plans
        (cloned,) = {plan.cloned for plan in plans}
        return cloned - {"norm", "head"}

    assert trained() == {"adapter.0", "adapter.1", "adapter.2"}
    assert trained(own(("adapter.0",), adapter_dim=64)) == {"adapter.0", "adapter.1", "adapter.2"}
    assert trained(others(("adapter.0", "adapter.2"), adapter_dim=64)) == {"adapter.1"}
    assert trained(others(("adapter.0",), adapter_dim=16)) == {"adapter.0", "adapter.1", "adapter.2"}


def test_an_adapter_inserted_again_is_the_one_that_was_there(make_parent):
    parent = make_parent(3)
    before = others(("adapter.1",), adapter_dim=32)
    plan = child(below(parent, before), adapters="always", **NEVER)
    assert plan.cloned == {"norm", "head", "adapter.0", "adapter.2"}


def test_what_is_held_frozen_stays_so_wherever_it_comes_from(make_parent):
    parent = below(make_parent(image_size=64), own(("posembed",), image_size=48))
    assert "posembed" not in child(parent, image_size=48, freeze_below="1", **NEVER).cloned


def test_a_seed_child_of_another_size_takes_the_resized_grid_by_the_methods_rule(make_parent):
    parent = below(make_parent(unlocked=("posembed",)))
    for rule in ("shared", "cloned"):
        method = load_method("munet", {"resized_posembed": rule})
        assert ("posembed" in seed_child(parent, method, image_size=64).cloned) == (rule == "cloned")
    assert "posembed" in seed_child(parent, load_method("munet"), image_size=32).cloned


def test_preprocessing_of_the_seed_pass_does_not_move():
    method = load_method("munet", {"preprocessing_scope": "generation", "mutation_probability": "1"})
    start = {"image_size": 32, "brightness": 0.05}
    still = sample_preprocessing(method, start, {}, np.random.default_rng(0), mutate=False)
    assert still.values["brightness"] == 0.05
    assert still.values["crop_area_min"] == method.defaults["crop_area_min"]
    assert still.mutation_probabilities == {}
    assert sample_preprocessing(method, start, {}, np.random.default_rng(0)).values["brightness"] != 0.05
