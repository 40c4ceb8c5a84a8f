"""Score, acceptance and ties."""

import math

import pytest

from munet.search import Candidate, accepted, best_of, load_method, references, score

MUNET, PLUS = load_method("munet"), load_method("mu2net-plus")
LARGE = load_method("mu2net-plus-large")


def test_score_of_the_paper():
    # mu2Net+ sec. 3: at s = 0.99 a model of P parameters loses 1 % of its quality, and one of F FLOPs another
    parameters, compute = 2.2e9, 3.8e12
    assert score(1.0, parameters, 0.0, LARGE, parameters, compute) == pytest.approx(0.99)
    assert score(1.0, 0.0, compute, LARGE, parameters, compute) == pytest.approx(0.99)
    assert score(0.5, parameters, compute, LARGE, parameters, compute) == pytest.approx(0.5 * 0.99**2)
    assert score(0.8, parameters / 2, 3 * compute, LARGE, parameters, compute) == pytest.approx(0.8 * 0.99**3.5)


def test_munet_has_no_compute_factor():
    method = load_method("munet", {"scale": "0.3"})
    assert score(0.9, 1_484_162, 1e12, method, 1_484_162, None) == pytest.approx(0.27)
    assert score(0.9, 1_484_162, 1e12, method, 1_484_162, 15e6) == pytest.approx(0.27)


def test_scale_one_is_plain_quality():
    assert score(0.87, 123, 456, PLUS, 1, 1) == 0.87


def test_the_published_references_punish_as_the_code_did():
    # F = 100e9: a model of 4485 MFLOPs of the decathlon keeps almost all of its quality at s = 0.95
    method = load_method("mu2net-plus-decathlon", {"scale": "0.95"})
    parameters, compute = references(method, 1, 1)
    assert score(1.0, 0.0, 4485e6, method, parameters, compute) == pytest.approx(0.95**0.04485)


def test_references_of_the_root():
    assert references(PLUS, 1_484_162, 14.6e6) == (1_484_162, 14.6e6)
    assert references(MUNET, 1_484_162, 14.6e6) == (1_484_162, None)
    assert references(LARGE, 1, 1) == (2.2e9, 3.8e12)
    assert references(load_method("munet", {"flops_reference": "2"}), 5, 7) == (5, 2)


def test_a_child_must_beat_its_parent_in_munet_and_equal_it_in_plus():
    assert [accepted(MUNET, mine, 0.5) for mine in (0.4, 0.5, 0.6)] == [False, False, True]
    assert [accepted(PLUS, mine, 0.5) for mine in (0.4, 0.5, 0.6)] == [False, True, True]


@pytest.mark.parametrize("method", [MUNET, PLUS])
def test_a_parent_of_another_task_sets_no_bar_but_finiteness(method):
    assert accepted(method, 0.0, None)
    assert not any(accepted(method, bad, None) for bad in (math.nan, math.inf, -math.inf))
    assert not accepted(method, math.nan, 0.5)


def test_models_of_equal_score():
    population = [Candidate("a", 0.5, 0), Candidate("d", 0.9, 3), Candidate("b", 0.9, 1), Candidate("c", 0.9, 2)]
    assert population[best_of(MUNET, population)].id == "b"
    assert population[best_of(PLUS, population)].id == "d"
    with pytest.raises(ValueError, match="empty"):
        best_of(PLUS, [])


def test_nothing_is_best_of_no_models():
    with pytest.raises(ValueError, match=r"^an empty population has no best model$"):
        best_of(PLUS, [])
