"""mu: a constant, a hyperparameter, a learned table."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from munet.search import load_method, sample_child
from munet.search.probabilities import MutationProbabilities

PLUS = load_method("mu2net-plus")
NEVER = ("norm", "head")  # decided about
STEP_UP, STEP_DOWN = 0.0, 0.9
DRAWS = 3000


class Scripted:
    """The draws of a child, one after the other; afterwards nothing happens any more."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def random(self):
        return self.draws.pop(0) if self.draws else 0.999


def scripted(*draws) -> Any:
    return Scripted(*draws)


def near(probability):
    return pytest.approx(probability, abs=4 * (probability * (1 - probability) / DRAWS) ** 0.5)


def children(parent, method, seed=0):
    stream = np.random.default_rng(seed)
    return [sample_child(parent, method, stream) for _ in range(DRAWS)]


def test_a_constant_leaves_no_table(make_parent):
    plan = sample_child(make_parent(), load_method("munet"), np.random.default_rng(0))
    assert plan.mutation_probabilities == {}


def test_a_table_of_another_method_is_kept(make_parent):
    table = {"clone:block.0": 0.1}
    parent = make_parent(mutation_probabilities=table)
    assert sample_child(parent, load_method("munet"), scripted()).mutation_probabilities == table


# mu2Net: one number per model ----------------------------------------------------------------------------------------


def test_mu_of_a_model_moves_first_and_counts_at_once(make_parent):
    method = load_method("mu2net", {"mutation_probability_values": "0.0, 0.5, 1.0", "mutation_probability": "0.5"})
    up = sample_child(make_parent(), method, scripted(0.4, STEP_UP, *[0.999] * 30))
    assert up.mutation_probabilities == {"mu": 1.0}
    assert {"embedding", "cls", "posembed", "block.0", "block.1", "block.2"} <= up.cloned
    down = sample_child(make_parent(), method, scripted(0.4, STEP_DOWN, *[0.0] * 30))
    assert down.mutation_probabilities == {"mu": 0.0}
    assert down.mutations == ()


def test_mu_of_a_model_is_inherited_and_moves_with_itself(make_parent):
    method = load_method("mu2net")
    plans = children(make_parent(mutation_probabilities={"mu": 0.28}), method)
    counts = Counter(plan.mutation_probabilities["mu"] for plan in plans)
    assert set(counts) == {0.26, 0.28, 0.3}
    assert counts[0.26] / DRAWS == near(0.14)
    assert counts[0.3] / DRAWS == near(0.14)
    # block.0 is cloned with the child's own mu: 0.14 * 0.26 + 0.72 * 0.28 + 0.14 * 0.3
    assert sum("block.0" in plan.cloned for plan in plans) / DRAWS == near(0.28)


def test_mu_of_a_model_starts_at_the_methods(make_parent):
    method = load_method("mu2net", {"tune": "false"})
    assert sample_child(make_parent(), method, scripted()).mutation_probabilities == {"mu": 0.2}
    assert sample_child(make_parent(), method, scripted(0.0, 0.0)).mutation_probabilities == {"mu": 0.2}


# mu2Net+: a table ----------------------------------------------------------------------------------------------------


def test_entries_exist_for_the_decisions_that_were_taken_and_no_others(make_parent):
    parent = make_parent(unlocked=("block.2", "posembed", "head"))
    table = sample_child(parent, PLUS, scripted()).mutation_probabilities
    keys = [key for key in PLUS.space if key != "adapter_dim"]
    decisions = {f"hyperparameter:{key}" for key in keys} | {"remove:block"}
    assert set(table) == decisions | {"clone:embedding", "clone:cls", "clone:block.0", "clone:block.1"}
    assert set(table.values()) == {0.2}


def test_entries_of_adapters_and_of_what_cannot_be_taken_away(make_parent):
    method = load_method("mu2net-plus", {"adapters": "sampled"})
    table = sample_child(make_parent(1, adapters=(0,)), method, scripted()).mutation_probabilities
    assert not any(name.startswith(("remove:", "insert:")) for name in table)
    assert {"clone:adapter.0", "clone:block.0", "hyperparameter:adapter_dim"} <= set(table)
    table = sample_child(make_parent(2, adapters=(0,)), method, scripted()).mutation_probabilities
    assert "insert:adapter.1" in table
    assert "insert:adapter.0" not in table


def test_a_fixed_image_size_is_no_decision(make_parent):
    plan = sample_child(make_parent(), PLUS, scripted(), image_size=32)
    assert "hyperparameter:image_size" not in plan.mutation_probabilities
    assert (
        "hyperparameter:image_size"
        not in sample_child(make_parent(image_size=40), PLUS, scripted()).mutation_probabilities
    )


def test_without_tuning_the_table_holds_the_structure_only(make_parent):
    method = load_method("mu2net-plus", {"tune": "false"})
    table = sample_child(make_parent(), method, scripted()).mutation_probabilities
    assert set(table) == {"remove:block"} | {f"clone:{slot}" for slot in make_parent().slots if slot not in NEVER}


def test_an_entry_moves_one_step_with_the_meta_rate(make_parent):
    plans = children(make_parent(), PLUS)
    counts = Counter(plan.mutation_probabilities["clone:block.0"] for plan in plans)
    assert set(counts) == {0.18, 0.2, 0.22}
    assert counts[0.18] / DRAWS == near(0.1)
    assert counts[0.22] / DRAWS == near(0.1)
    assert sum("block.0" in plan.cloned for plan in plans) / DRAWS == near(0.2)


@pytest.mark.parametrize(("entry", "moves"), [(0.02, 0.1), (0.1, 0.2), (0.3, 0.1)])
def test_the_rate_of_moving_is_the_methods_and_not_the_entrys_own(make_parent, entry, moves):
    """mu2Net+ sec. 3, its meta rate is 0.2. At an end of the list half of the steps are held."""
    plans = children(make_parent(mutation_probabilities={"clone:block.0": entry}), PLUS, seed=3)
    moved = sum(plan.mutation_probabilities["clone:block.0"] != entry for plan in plans)
    assert moved / DRAWS == near(moves)


def test_entries_are_inherited_and_decide_on_their_own(make_parent):
    table = {"clone:block.0": 0.02, "clone:block.1": 0.3, "remove:block": 0.1}
    plans = children(make_parent(mutation_probabilities=table), PLUS, seed=1)
    # at the ends one of the two steps is held: 0.9 * 0.02 + 0.1 * 0.04 and 0.9 * 0.3 + 0.1 * 0.28
    assert sum("block.0" in plan.cloned for plan in plans) / DRAWS == near(0.022)
    assert sum("block.1" in plan.cloned for plan in plans) / DRAWS == near(0.298)
    assert sum(plan.num_blocks == 2 for plan in plans) / DRAWS == near(0.1)
    assert {plan.mutation_probabilities["clone:block.0"] for plan in plans} == {0.02, 0.04}


def test_a_moved_entry_counts_for_the_decision_it_was_moved_for(make_parent):
    settings = {"mutation_probability_values": "0.0, 0.5, 1.0", "mutation_probability": "0.5", "tune": "false"}
    method = load_method("mu2net-plus", {**settings, "layer_removal": "never"})
    # for each of embedding, cls, ...: does the entry move, the direction, the decision
    up = sample_child(make_parent(), method, scripted(0.4, STEP_UP, 0.999, 0.4, STEP_DOWN, 0.0, 0.6, 0.4, 0.6, 0.6))
    table = up.mutation_probabilities
    assert [table[f"clone:{slot}"] for slot in ("embedding", "cls", "posembed", "block.0")] == [1.0, 0.0, 0.5, 0.5]
    assert up.cloned == {"embedding", "posembed", "norm", "head"}


def test_the_parents_table_is_left_alone(make_parent):
    table = {"clone:block.0": 0.2}
    parent = make_parent(mutation_probabilities=table)
    children(parent, PLUS)
    assert table == {"clone:block.0": 0.2}


def test_over_generations_an_entry_walks_through_the_whole_list_and_stays_in_it():
    table: dict[str, float] = {}
    stream = np.random.default_rng(2)
    seen = set()
    for _ in range(20_000):
        mu = MutationProbabilities(PLUS, table, stream)
        mu.decides("clone:block.0")
        table = mu.table
        seen.add(table["clone:block.0"])
    assert seen == set(PLUS.mutation_probability_values)
