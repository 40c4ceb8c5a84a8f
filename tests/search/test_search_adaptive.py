"""Plans that follow from evidence: who is the parent, what is trained, by which recipe, and who gets which samples."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.errors import InputError
from munet.search import load_method
from munet.search.adaptive import (
    Evidence,
    Mirrored,
    Probe,
    asks_of_mirrors,
    gains_from_a_new_head,
    is_worth_training,
    plan_child,
    plan_trunk,
    plan_untrained,
    recipe,
    refuse_computed,
    shares_by_need,
    trained_blocks,
    trunk_batch_size,
    trunk_error,
)
from munet.search.mutations import Parent

METHOD = load_method("adaptive")
SMALL, LARGE = 1_500_000, 11_000_000  # parameters of a root


def probe(model: str = "root", task: str | None = None, nll: float = 1.0, error: float = 0.3) -> Probe:
    return Probe(model, task, nll, error, 0.2, 0.1, "class-token+patches")


def evidence(*probes: Probe, kind: str = "drawings", images: int = 1000, classes: int = 10) -> Evidence:
    return Evidence(probes or (probe(),), kind, images, classes, 1000)  # type: ignore[arg-type]


def parent(blocks: int = 6) -> Parent:
    slots = ("embedding", "cls", "posembed", *(f"block.{k}" for k in range(blocks)), "norm", "head")
    return Parent(
        id="root",
        task=None,
        hyperparameters={"image_size": 32},
        mutation_probabilities={},
        num_blocks=blocks,
        adapters=frozenset(),
        locked=frozenset(slots),
        slots=slots,
    )


def test_the_root_is_the_parent_unless_another_is_clearly_likelier() -> None:
    root = probe(nll=1.0)
    assert evidence(root, probe("a", "a", nll=0.96)).best == root
    assert evidence(root, probe("a", "a", nll=0.94), probe("b", "b", nll=0.9)).best.model == "b"


@pytest.mark.parametrize(
    ("blocks", "error", "trained"),
    [(3, 0.05, 1), (3, 0.15, 2), (3, 0.3, 3), (6, 0.10, 2), (6, 0.2, 4), (12, 0.05, 4), (12, 0.9, 12), (1, 0.0, 1)],
)
def test_the_error_of_the_probe_says_how_deep_a_child_trains(blocks: int, error: float, trained: int) -> None:
    assert trained_blocks(METHOD, error, blocks) == trained
    plan = plan_child(METHOD, parent(blocks), evidence(probe(error=error)), 51_200, SMALL, None)
    assert plan.cloned == {"norm", "head", *(f"block.{k}" for k in range(blocks - trained, blocks))}
    assert plan.hyperparameters["head_features"] == "class-token+patches", "as the probe found it best"


@given(error=st.floats(0, 1), scale=st.floats(0.3, METHOD.scale), blocks=st.integers(1, 24))
def test_where_size_costs_score_less_is_trained(error: float, scale: float, blocks: int) -> None:
    dear = METHOD.model_copy(update={"scale": scale})
    assert 1 <= trained_blocks(dear, error, blocks) <= trained_blocks(METHOD, error, blocks) <= blocks


@pytest.mark.parametrize("kind", ["drawings", "photographs"])
@pytest.mark.parametrize("root", [SMALL, LARGE])
def test_what_a_recipe_would_replace_is_refused(kind: str, root: int) -> None:
    for name, value in recipe(evidence(kind=kind), 4_000, root).items():
        with pytest.raises(InputError, match=f"method adaptive computes {name}: `--set recipe=given`"):
            refuse_computed(METHOD, {f"defaults.{name}": value})
        refuse_computed(METHOD.model_copy(update={"recipe": "given"}), {f"defaults.{name}": value})
    refuse_computed(METHOD, {"defaults.image_size": 32, "scale": 1.0, "flip": True})
    with pytest.raises(InputError, match="method adaptive computes how images are changed"):
        refuse_computed(METHOD, {}, "none")
    refuse_computed(METHOD.model_copy(update={"recipe": "given"}), {}, "none")


def test_recipes_follow_root_images_and_epochs() -> None:
    seldom, often = (recipe(evidence(images=images), 51_200, SMALL) for images in (20_000, 2_000))
    assert (seldom["optimiser"], seldom["learning_rate"]) == ("sgd", 0.04)
    assert [(r["augmentation"], r["margin"]) for r in (seldom, often)] == [("mild", 2.0), ("strong", 3.0)]
    photographs = recipe(evidence(kind="photographs"), 4_000, LARGE)
    assert (photographs["optimiser"], photographs["layer_decay"], photographs["margin"]) == ("adamw", 0.75, 0.0)
    assert (photographs["augmentation"], photographs["crop_area_min"], photographs["flip"]) == ("none", 0.6, True)
    small = recipe(evidence(kind="photographs"), 4_000, SMALL)
    assert (small["augmentation"], small["crop_area_min"], small["flip"]) == ("mild", 1.0, True)


@pytest.mark.parametrize(
    ("samples", "images", "error", "root", "worth"),
    [
        (4_000, 1_000, 0.3, LARGE, True),
        (999, 1_000, 0.3, LARGE, False),  # few samples
        (1_000, 1_000, 0.3, LARGE, True),
        (4_000, 50, 0.3, LARGE, True),  # few images of a class are seen often
        (4_000, 1_000, 0.09, LARGE, False),  # easy already
        (4_000, 1_000, 0.09, SMALL, True),
        (16, 1_000, 0.9, SMALL, False),  # less than a batch
    ],
)
def test_some_heads_are_left_as_they_are(samples: int, images: int, error: float, root: int, worth: bool) -> None:
    known = evidence(probe(error=error), images=images)
    assert is_worth_training(METHOD, known, samples, root) is worth
    plan = plan_child(METHOD, parent(), known, samples, root, None)
    assert (plan.cloned == {"head"}) is not worth


def test_an_untrained_child_is_its_parent_with_a_head() -> None:
    plan = plan_untrained(METHOD, parent(), probe(), evidence())
    assert plan.cloned == {"head"}
    assert plan.hyperparameters["head_features"] == "class-token+patches"
    assert [mutation.name for mutation in plan.mutations] == ["head_features"]


def test_a_head_that_reads_photographs_more_than_once_says_how_they_are_changed() -> None:
    known = evidence(kind="photographs")
    plan = plan_untrained(METHOD, parent(), probe(), known)
    assert plan.hyperparameters["crop_area_min"] == 0.6
    assert plan.hyperparameters["flip"] is True
    once = plan_untrained(METHOD.model_copy(update={"head_views": 1}), parent(), probe(), known)
    assert once.hyperparameters["crop_area_min"] == 1.0


@pytest.mark.parametrize(("mirrored", "flip"), [(0.9, True), (1.01, True), (1.03, False)])
def test_photographs_are_mirrored_unless_that_takes_their_meaning(mirrored: float, flip: bool) -> None:
    known = replace(evidence(kind="photographs"), mirror=Mirrored(1.0, mirrored, 400))
    assert Evidence.from_json(known.to_json()) == known
    assert recipe(known, 4_000, LARGE)["flip"] is flip
    assert plan_untrained(METHOD, parent(), probe(), known).hyperparameters["flip"] is flip
    assert "flip" not in recipe(replace(known, kind="drawings"), 4_000, LARGE)


def test_evidence_of_before_mirrors_were_asked_of_is_read_as_it_was_meant() -> None:
    known = evidence(kind="photographs").to_json()
    del known["mirror"]
    assert Evidence.from_json(known).changes["flip"] is True


def test_mirrors_are_asked_of_where_the_recipe_would_mirror() -> None:
    assert asks_of_mirrors(METHOD, "photographs")
    assert not asks_of_mirrors(METHOD, "drawings")
    for changed in ({"mirror": "always"}, {"recipe": "given"}):
        assert not asks_of_mirrors(METHOD.model_copy(update=changed), "photographs")


@pytest.mark.parametrize(("root", "last", "gains"), [(LARGE, True, True), (SMALL, True, False), (LARGE, False, False)])
def test_a_trained_model_of_a_large_root_gains_from_a_new_head(root: int, last: bool, gains: bool) -> None:
    assert gains_from_a_new_head(METHOD.model_copy(update={"head_last": last}), root) is gains


@pytest.mark.parametrize(
    ("errors", "root", "lowest"),
    [
        ([0.05, 0.3], SMALL, 2),
        ([0.05, 0.15], SMALL, 2),
        ([0.05, 0.04], SMALL, 4),
        ([0.15, 0.3], SMALL, 0),  # a root that was made for other images
        ([0.15, 0.3], LARGE, 2),
    ],
)
def test_a_path_through_a_trunk_is_as_deep_as_the_tasks_together_want_by_the_tasks_own_recipe(
    errors: list[float], root: int, lowest: int
) -> None:
    known = evidence(probe(error=0.05), probe("a", "a", nll=0.1))
    plan = plan_trunk(METHOD, parent(), known, 51_200, root, None, trunk_error(METHOD, errors, root))
    assert plan.cloned == {"norm", "head", *(f"block.{k}" for k in range(lowest, 6))}
    assert plan.hyperparameters["augmentation"] == "strong"


def test_ingredients_can_be_switched_off() -> None:
    plain = METHOD.model_copy(
        update={"recipe": "given", "head_features": "pooled", "clone": "all", "training": "always"}
    )
    plan = plan_child(plain, parent(), replace(evidence(), images=10), 51_200, LARGE, 64)
    assert plan.hyperparameters["learning_rate"] == METHOD.defaults["learning_rate"]
    assert "optimiser" not in plan.hyperparameters
    assert plan.hyperparameters["image_size"] == 64
    assert "embedding" in plan.cloned


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 20))
def test_shares_are_never_more_than_there_is_and_nobody_goes_without(errors: list[float], untrained: int) -> None:
    tasks = len(errors) + untrained
    shares = shares_by_need(METHOD, errors, tasks)
    assert sum(shares) <= tasks + 1e-9
    assert min(shares) >= 0.5
    assert max(shares) <= 4
    ranked = sorted(zip(errors, shares, strict=True))
    assert all(low[1] <= high[1] + 1e-12 for low, high in pairwise(ranked))


def test_the_hard_task_gets_what_the_easy_ones_leave() -> None:
    # eight character sets by the errors of their probes: one of them hard, one middling
    shares = shares_by_need(METHOD, [0.03, 0.04, 0.13, 0.04, 0.49, 0.05, 0.06, 0.01], 8)
    assert shares == [0.5, 0.5, 1, 0.5, 4, 0.5, 0.5, 0.5]
    assert shares_by_need(METHOD, [0.3, 0.4], 3) == [1.5, 1.5], "what a task leaves that is not trained"
    assert shares_by_need(METHOD, [0.05], 1) == [0.5]


def test_a_trunk_of_a_large_root_takes_more_and_smaller_steps() -> None:
    assert (trunk_batch_size(METHOD, SMALL), trunk_batch_size(METHOD, LARGE)) == (64, 32)


def test_evidence_survives_its_record() -> None:
    known = evidence(probe(), probe("a", "a", 0.5, 0.2))
    assert Evidence.from_json(known.to_json()) == known
