"""Methods as words, and budgets: the same samples for every method, however each divides them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.catalog import load_benchmark
from munet.errors import InputError
from munet.experiments.budgets import budgets, load_budget, settings_for
from munet.experiments.spec import Spec
from munet.search import load_method

WORDS = (
    "finetune-full",
    "finetune-full+preprocessing=none+replicas=1",
    "finetune-above:2",
    "multi-head",
    "adapters:512",
    "munet-no-autotune",
    "munet+scale=0.3",
    "munet+preprocessing=none",
    "mu2net-characters",
    "mu2net-plus",
    "mu2net-plus-no-compute",
    "mu2net-plus+scale=0.02+mutation_probability=0.1",
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_its_own_name(word: str):
    assert str(Spec.parse(word)) == word
    assert Spec.parse(word).folder == word


def test_changes_have_one_order():
    spec = Spec.parse("munet+tune=false+scale=0.3+samples=9")
    assert str(spec) == "munet+samples=9+scale=0.3+tune=false"
    assert Spec.parse("munet+preprocessing=published") == Spec.parse("munet")


def test_options_of_the_command_line_join_in():
    spec = Spec.parse("munet").changed(scale=0.3, preprocessing="none", samples=None)
    assert str(spec) == "munet+preprocessing=none+scale=0.3"
    assert Spec.parse("munet+scale=0.3").changed(scale=0.3) == Spec.parse("munet+scale=0.3")
    with pytest.raises(InputError, match="say different things"):
        Spec.parse("munet+scale=0.3").changed(scale=0.7)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("munnet", "did you mean 'munet'"),
        ("munet+scale", "write changes as +name=value"),
        ("munet+scale=0.3+scale=1", "scale is given twice"),
        ("munet+scale=2", "'scale' is 2"),
        ("munet+sclae=0.3", "did you mean 'scale'"),
        ("munet+preprocessing=off", "choose published or none"),
        ("munet+samples=many", "a whole number above 0"),
        ("finetune-full+replicas=0", "a whole number above 0"),
    ],
)
def test_a_word_that_cannot_be(word: str, said: str):
    with pytest.raises(InputError) as caught:
        Spec.parse(word)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("benchmark", ["mccb-local", "decathlon-local"])
@pytest.mark.parametrize("budget", ["mini", "small", "large"])
@pytest.mark.parametrize("word", WORDS)
def test_every_method_is_trained_on_the_same_samples(word: str, budget: str, benchmark: str):
    spec, chosen = Spec.parse(word), load_budget(budget)
    method = load_method(spec.base, settings_for(spec, chosen, load_benchmark(benchmark)))
    assert method.child_cycles * method.samples_per_cycle == chosen.samples
    assert not method.at_most_epoch
    assert (method.batch_size, method.validation_cap) == (32, 512)


def test_the_sizes_of_the_budgets():
    samples = {name: budget.samples for name, budget in budgets().items()}
    assert samples == {"mini": 51_200, "small": 4 * 51_200, "large": 16 * 51_200, "paper": None}


@given(st.sampled_from(WORDS), st.sampled_from(["mini", "small"]), st.integers(1, 9))
def test_other_samples_keep_the_shape(word: str, budget: str, times: int):
    benchmark, chosen = load_benchmark("mccb-local"), load_budget(budget)
    spec = Spec.parse(word)
    other = spec.changed(samples=times * (chosen.samples or 0))
    method = load_method(spec.base, settings_for(spec, chosen, benchmark))
    longer = load_method(spec.base, settings_for(other, chosen, benchmark))
    assert longer.child_cycles == method.child_cycles
    assert longer.samples_per_cycle == times * method.samples_per_cycle


def test_one_replica_gets_what_four_had():
    benchmark, mini = load_benchmark("mccb-local"), load_budget("mini")
    four = load_method("finetune-full", settings_for(Spec.parse("finetune-full"), mini, benchmark))
    one = load_method("finetune-full", settings_for(Spec.parse("finetune-full+replicas=1"), mini, benchmark))
    assert (four.children, one.children) == (4, 1)
    assert one.cycles == 4 * four.cycles
    with pytest.raises(InputError, match="do not divide into 3 replicas"):
        settings_for(Spec.parse("finetune-full+replicas=3"), mini, benchmark)
    with pytest.raises(InputError, match="replicas are of baselines"):
        settings_for(Spec.parse("munet+replicas=2"), mini, benchmark)


def test_the_papers_budgets():
    paper = load_budget("paper")

    def method(word: str, benchmark: str):
        spec = Spec.parse(word)
        return load_method(spec.base, settings_for(spec, paper, load_benchmark(benchmark)))

    assert method("mu2net-plus", "mccb-local") == load_method("mu2net-plus")
    assert method("munet", "mccb") == load_method("munet").model_copy(update={"parameters_reference": 1_484_162.0})
    decathlon = method("mu2net-plus", "vddb")
    assert (decathlon.task_iterations, decathlon.batch_size, decathlon.flops_reference) == (30, 256, 100e9)
    assert method("mu2net-plus-no-compute", "vddb").flops_reference is None
    # the constants of the published root mean nothing for another
    assert method("mu2net-plus", "decathlon-local").flops_reference == "root"
    assert method("mu2net-plus", "decathlon-local").task_iterations == 30
    for word in ("munet", "munet-no-autotune", "mu2net-plus", "finetune-full", "adapters:64"):
        assert method(word, "decathlon-local").child_cycles == 480 * 8
        assert method(word, "mccb").child_cycles == 640


def test_an_unknown_budget():
    with pytest.raises(InputError, match="did you mean 'mini'"):
        load_budget("minni")
