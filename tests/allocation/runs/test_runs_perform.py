"""Experiments as runs: presets, what is refused, and what a configuration means."""

from pathlib import Path
from typing import Any

import pytest
import torch

from munet.allocation.routing.allocations import FixedAllocation, LearnedAllocation
from munet.allocation.routing.fallback import FallbackAllocation
from munet.allocation.runs.perform import RunConfig, configured, make, perform
from munet.allocation.runs.presets import experiments, preset, presets, scaled_temperature
from munet.allocation.training.settings import Settings
from munet.errors import InputError
from repo import DOCS

TINY: dict[str, Any] = {"train": 40, "validation": 20, "test": 20, "dimension": 6}


def tiny(method: str = "gumbel_matrix", **given: Any) -> RunConfig:
    return configured("synthetic", method, "smoke", **{"rounds": 4, "evaluate_every": 2, "data": TINY, **given})


@pytest.mark.parametrize(
    ("experiment", "expected"),
    [
        ("mnist4", {"rounds": 37_500, "batch_size": 16, "learning_rate": 0.005, "router_rate": 0.005, "l2_penalty": 0,
                    "budget": 1.0, "budget_penalty": 0, "probs_init": 0.5, "evaluate_every": 250}),
        ("omniglot20", {"rounds": 8_000, "batch_size": 16, "learning_rate": 1e-4, "router_rate": 2e-3,
                        "l2_penalty": 3e-4, "budget": 1.0, "budget_penalty": 0, "probs_init": 0.97,
                        "evaluate_every": 250}),
        ("clusters40", {"rounds": 20_000, "batch_size": 32, "learning_rate": 3e-4, "router_rate": 6e-3,
                        "l2_penalty": 0, "budget": 0.5, "budget_penalty": 1.0, "probs_init": 0.5,
                        "evaluate_every": 1000}),
    ],
)  # fmt: skip
def test_the_preset_paper_is_the_published_configuration(experiment: str, expected: dict[str, float]) -> None:
    config = configured(experiment)
    found = {name: getattr(config.settings, name, None) for name in expected} | {"probs_init": config.probs_init}
    assert found == expected
    assert (config.temperature_init, config.temperature_min, config.combine) == (50.0, 0.5, "sum")
    assert (config.settings.inactive_gradients, config.settings.update) == ("zero", "per-task")
    assert (config.settings.entropy_penalty, config.settings.entropy_penalty_alpha) == (0, 1)


def test_every_preset_is_a_configuration() -> None:
    for experiment in experiments():
        assert set(presets(experiment)) == {"paper", "small", "smoke"}
        rounds = [configured(experiment, preset_name=name).settings.rounds for name in ("paper", "small", "smoke")]
        assert rounds == sorted(rounds, reverse=True)
        assert preset(experiment, "smoke")["batch_size"] == preset(experiment, "paper")["batch_size"]


def test_what_is_given_takes_the_place_of_the_preset() -> None:
    config = configured(
        "omniglot20", preset_name="small", budget=0.4, rounds=7, probs_init=0.6, data={"alphabets": 3}, l2_penalty=None
    )
    assert (config.settings.budget, config.settings.rounds, config.probs_init) == (0.4, 7, 0.6)
    assert config.data == {"alphabets": 3, "image_size": 53}
    assert config.settings.l2_penalty == 3e-4, "None is not given"
    assert configured("omniglot20", preset_name="small").data["alphabets"] == 5, "presets are not changed"


def test_a_request_says_all_and_comes_back() -> None:
    config = tiny(budget=0.75, seed=3, threads=2, fallback=True)
    request = config.request()
    assert request["budget"] == 0.75
    assert request["data.dimension"] == 6
    assert RunConfig.of_request(request) == config
    others = [tiny(), tiny(seed=1), tiny(data=TINY | {"train": 41}), tiny("shared_bottom"), tiny(temperature_min=0.4)]
    assert len({str(sorted(other.request().items(), key=str)) for other in others}) == len(others)


def test_the_scaled_temperature_is_the_published_one_for_the_published_updates() -> None:
    assert scaled_temperature(37_500 * 4, 0.5) == pytest.approx(50)
    assert scaled_temperature(10, 0.5) == 0.5
    made = make(tiny(rounds=100), None)
    assert isinstance(made.allocation, LearnedAllocation)
    assert made.allocation.temperature(0) == pytest.approx(0.5 * (400 / 15) ** 0.5)
    assert made.allocation.temperature(27) == 0.5
    assert make(tiny(rounds=100, update="per-round"), None).allocation.temperature(0) == pytest.approx(  # pyright: ignore[reportCallIssue]
        0.5 * (100 / 15) ** 0.5
    )  # type: ignore[operator]


def test_methods_make_their_allocations() -> None:
    tasks = ("pair0-a", "pair0-b", "pair1-a", "pair1-b")
    kinds = {
        "no_sharing": (FixedAllocation, 0.25, False),
        "shared_bottom": (FixedAllocation, 1.0, True),
        "gumbel_matrix": (LearnedAllocation, 1.0, True),
    }
    for method, (kind, used, normalize) in kinds.items():
        made = make(tiny(method), None).allocation
        assert isinstance(made, kind)
        assert (made.tasks, made.fraction_used(), made.normalize) == (tasks, used, normalize)
    assert not make(tiny("shared_bottom", combine="sum"), None).allocation.normalize
    assert isinstance(make(tiny(fallback=True), None).allocation, FallbackAllocation)


def test_the_seed_draws_the_weights() -> None:
    one, same, other = (make(tiny(seed=seed), None).network.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"budget": 0.0}, "--budget 0.0: a share of the components above 0 and at most 1"),
        ({"budget": 1.5}, "--budget 1.5: a share"),
        ({"budget": float("nan")}, "--budget nan: a share"),
        ({"budget_penalty": -1.0}, "--budget-penalty -1.0: give 0 or more"),
        ({"entropy_penalty": float("inf")}, "--entropy-penalty inf: give 0 or more"),
        ({"budget_unit": "component"}, "--budget-unit component (did you mean 'components'?): choose one of"),
        ({"learning_rate": 0.0}, "--learning-rate 0.0: give a number above 0"),
        ({"router_learning_rate": -1.0}, "--router-learning-rate -1.0"),
        ({"rounds": 0}, "--rounds 0: give 1 or more"),
        ({"batch_size": 0}, "--batch-size 0: give 1 or more"),
        ({"evaluate_every": -2}, "--evaluate-every -2"),
        ({"inactive_gradients": "skipped"}, "--inactive-gradients skipped (did you mean 'skip'?)"),
        ({"update": "per_round"}, "--update per_round (did you mean 'per-round'?)"),
        ({"keep": "some"}, "--keep some: choose one of all, best"),
        ({"probs_init": 1.0}, "--probs-init 1.0: a probability above 0 and below 1"),
        ({"temperature_min": 0.0}, "--temperature-min 0.0"),
        ({"temperature_init": "hot"}, "--temperature-init hot: give a number, or scaled"),
        ({"temperature_init": 0.1}, "--temperature-init 0.1 is below --temperature-min 0.5"),
        ({"combine": "max"}, "--combine max: choose one of sum, mean"),
        ({"method": "gumbel"}, "--method gumbel (did you mean 'gumbel_matrix'?)"),
        ({"preset_name": "papper"}, "--preset papper (did you mean 'paper'?): synthetic has paper, small, smoke"),
        ({"experiment": "mnist"}, "unknown experiment 'mnist' (did you mean 'mnist4'?)"),
        ({"data": {"pair": 3}}, "--set pair (did you mean 'pairs'?): the data of synthetic has pairs=2"),
        ({"data": {"pairs": "many"}}, "--set pairs=many: give a whole number, for instance pairs=2"),
        ({"data": {"pairs": 2.5}}, "--set pairs=2.5: give a whole number"),
        ({"data": {"correlation": "x"}}, "--set correlation=x: give a number, for instance correlation=1.0"),
        ({"experiment": "omniglot20", "data": {"invert": 3}}, "--set invert=3: give true or false"),
        ({"experiment": "clusters40", "data": {"tasks": "two"}}, "--set tasks=two: give a whole number"),
        ({"experiment": "mnist4", "data": {"splits": 3}}, "--set splits=3: give a word"),
        ({"budgett": 1}, "unknown setting 'budgett' (did you mean 'budget'?)"),
    ],
)
def test_bad_values_are_one_line(given: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as error:
        configured(**{"experiment": "synthetic", **given})
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_name_what_is_unknown() -> None:
    assert Settings().changed(rounds=5).rounds == 5
    with pytest.raises(InputError, match="unknown setting 'round' "):
        Settings().changed(round=5)


def test_no_sharing_where_tasks_and_components_differ_is_one_line(tmp_path: Path) -> None:
    from munet.allocation.network.models import clusters

    network = clusters((5, 5, 9))
    with pytest.raises(InputError, match="16 components for 3 tasks"):
        FixedAllocation.no_sharing(("a", "b", "c"), network.routed_sizes)


def test_missing_data_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError) as error:
        perform(configured("omniglot20", preset_name="smoke"), tmp_path / "run", tmp_path / "data", device="cpu")
    assert "\n" not in str(error.value)
    assert "mniglot" in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_needs_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = perform(tiny(), tmp_path / "run", device="cpu")
    monkeypatch.setattr("munet.allocation.runs.perform.make", lambda *arguments: pytest.fail("it is finished"))
    assert perform(tiny(), tmp_path / "run", device="cpu") == first


def test_a_run_that_goes_on_keeps_its_threads(tmp_path: Path) -> None:
    from run_tools import Stop

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with pytest.raises(KeyboardInterrupt):
            perform(tiny(), tmp_path / "run", device="cpu", stop=Stop(1))
        torch.set_num_threads(2)
        assert perform(tiny(), tmp_path / "run", device="cpu")["threads"] == 1
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_example_of_the_documentation_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "allocation.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    assert "rounds=300" in code
    exec(compile(code.replace("rounds=300", "rounds=4"), "docs/allocation.md", "exec"), {})
    assert "'plus1': " in capsys.readouterr().out
