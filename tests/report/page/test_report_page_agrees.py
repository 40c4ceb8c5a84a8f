"""One small real system: page, tables, `--json` and pictures say the same of it."""

# pandas carries no types of its own:
# pyright: reportGeneralTypeIssues=false

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import munet
from cli_tools import munet as command
from golden_ids import images
from munet.analysis import costs, learning
from munet.report.network.figure import retained_paths
from munet.report.network.picture import task_paths
from munet.report.page import build_page, payload, write_page
from page_browser import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Two tasks by the default method, then a generation of mu2Net for the second."""
    folder = tmp_path_factory.mktemp("agrees")
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name in ("one", "two"):
        images(folder / name, 3)
        system.add_task(name, f"npz:{folder / name}")
    where = munet.Where(executor="local", threads=1)
    munet.evolve(system, budget=munet.Budget(samples_per_task=512, cycles=2), where=where)
    budget = munet.Budget(task_iterations=1, generations=1, children=2, cycles=1, samples_per_cycle=64)
    munet.evolve(system, ["two"], "mu2net", budget=budget, where=where, settings={"acceptance": ">="})
    return system


@pytest.fixture(scope="module")
def page(grown: munet.System) -> dict[str, Any]:
    return json.loads(json.dumps(payload(grown.history())))


def test_accuracies_and_sizes_are_the_same_everywhere(grown: munet.System, page: dict[str, Any]) -> None:
    printed = json.loads(command("status", str(grown.path), "--json").stdout)
    table = grown.history().tasks.set_index("task")
    assert [row["name"] for row in printed["tasks"]] == [task["name"] for task in page["tasks"]] == ["one", "two"]
    for row, task in zip(printed["tasks"], page["tasks"], strict=True):
        for key in ("validation_accuracy", "test_accuracy", "parameters"):
            assert (
                row[key] == pytest.approx(task[key], rel=1e-5) == pytest.approx(table.loc[row["name"], key], rel=1e-5)
            )
            assert row[key] > 0
        assert row["validation_accuracy"] <= 1, "a fraction in every value; people read percent"
    assert printed["mean_test_accuracy"] == pytest.approx(page["totals"]["mean_test_accuracy"])
    assert printed["unique_parameters"] == page["totals"]["unique_parameters"]


def test_a_head_has_the_validation_accuracy(grown: munet.System, page: dict[str, Any]) -> None:
    wanted = {task["name"]: pytest.approx(task["validation_accuracy"], rel=1e-5) for task in page["tasks"]}
    assert {path.task: path.accuracy for path in task_paths(grown.store)} == wanted
    assert {path.task: path.accuracy for path in retained_paths(grown.history())} == wanted


def test_the_gap_is_validation_minus_test(grown: munet.System, page: dict[str, Any]) -> None:
    gaps = learning.gaps(grown.history()).set_index("task")["gap"]
    for task in page["tasks"]:
        assert gaps[task["name"]] == pytest.approx(task["validation_accuracy"] - task["test_accuracy"], abs=1e-5)


def test_who_trained_a_layer_is_the_same_everywhere(grown: munet.System, page: dict[str, Any]) -> None:
    layers, names = page["layers"], {-1: "root", 0: "one", 1: "two"}
    for task in ("one", "two"):
        for row in grown.show(task)["layers"]:
            (number,) = [n for n, start in enumerate(layers["id"]) if start and row["layer"].startswith(start)]
            makers = layers["together"][number] or [layers["by"][number]]
            assert row["trained_by"] in [names[maker] for maker in makers]
    trained = costs.parameters(grown.history())["trained"]
    assert trained.sum() == pytest.approx(page["totals"]["unique_parameters"])


@pytest.mark.browser
def test_at_a_moment_the_card_has_the_model_of_the_moment(
    browser: "Browser", grown: munet.System, page: dict[str, Any], tmp_path: Path
) -> None:
    shown = opened(browser, write_page(build_page(page), tmp_path / "page.html"), "desktop")
    shown.page.evaluate("munet.choose({kind: 'task', task: 1})")
    card = shown.page.inner_text(".card")
    task = page["tasks"][1]
    gap = 100 * (task["validation_accuracy"] - task["test_accuracy"])
    assert task["model"] in card
    assert f"{'−' if gap < 0 else '+'}{abs(gap):.2f}" in card
    step = next(n for n, (of, state) in enumerate(zip(page["children"]["task"], page["children"]["state"], strict=True))
                if of == 1 and state > 0)  # fmt: skip
    shown.page.evaluate(f"munet.goto({step})")
    card = shown.page.inner_text(".card")
    assert page["children"]["model"][step] in card
    assert task["model"] not in card
    assert f"{page['children']['parameters'][step]:,}" in card
    assert "accounted" not in card, "what it was then is not known"
    shown.page.context.close()


@pytest.mark.browser
def test_a_system_without_models_says_one_thing_until_it_has_some(
    browser: "Browser", grown: munet.System, page: dict[str, Any], tmp_path: Path
) -> None:
    bare = munet.System.create(tmp_path / "bare", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    shown = opened(browser, write_page(build_page(payload(bare.history())), tmp_path / "bare.html"), "desktop")
    headings = "[...document.querySelectorAll('h1, h2')].filter((node) => node.offsetParent).map((n) => n.textContent)"
    assert shown.page.evaluate(headings) == ["A system without tasks"]
    shown.page.evaluate("(made) => munet.update(made)", page)
    assert len(shown.page.evaluate(headings)) > 10
    shown.everything()
    assert shown.complaints == []
    shown.page.context.close()
