"""Published systems are analysed as far as their tables tell, and go on as munet's own."""

# pandas carries no types of its own, and what is inferred of a table is a union of all it might hold:
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import munet
from growing import evolve
from munet.analysis import costs, flow, growth, learning, lineage, progress, settings, sharing, summary
from munet.importing import attach, import_published
from published_tools import small_system, write_mu2net, write_mu3net, write_munet

Write = Callable[..., Path]
SMALL: dict[str, Any] = {
    "generations": 1,
    "children": 2,
    "cycles": 1,
    "samples_per_cycle": 30,
    "batch_size": 15,
    "threads": 1,
}


@pytest.fixture(params=[write_munet, write_mu2net, write_mu3net])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> munet.System:
    request.param(small_system(), tmp_path / "published")
    import_published(tmp_path / "published", tmp_path / "fleet")
    return munet.System.open(tmp_path / "fleet")


def models_now(system: munet.System) -> dict[str, str]:
    return {row["name"]: row["model"] for row in system.status()["tasks"]}


def test_the_tables_tell_what_the_state_told(fleet: munet.System):
    tables = fleet.history()
    children = tables.children
    assert tables.notes == []
    assert len(children) == 6
    assert tables.runs["imported"].tolist() == [True]
    assert set(children["method"]) == set(tables.runs["method"]) <= {"munet", "mu2net", "mu3net"}
    assert set(children.loc[children["retained"], "model"]) == set(models_now(fleet).values())
    assert children["model"].notna().sum() == 3
    assert (children["parent_step"].dropna() < children["step"][children["parent_step"].notna()]).all()
    assert children["num_blocks"].notna().tolist() == children["model"].notna().tolist()
    assert children["train_seconds"].tolist() == [12.5] * 6
    assert tables.iterations.empty
    assert len(tables.layers) == sum(row["num_blocks"] for row in fleet.status()["tasks"]) + 3 * 5 + 1  # an adapter


def test_models_that_are_gone_have_a_place_and_no_layers(fleet: munet.System):
    tables = fleet.history()
    grown = growth.growth(tables)
    assert growth.retained_at(tables, 5) == models_now(fleet)
    assert {task: moment.model for task, moment in growth.best_at(tables, 5).items()} == models_now(fleet)
    assert {moment.path is None for moment in grown.moments if moment.model is None} == {True}
    assert len(grown.notes) == 1
    paths = growth.paths_at(tables, 5)
    for task, model in models_now(fleet).items():
        assert {slot: layer.id for slot, layer in paths[task].items()} == fleet.manifest(model)["layers"]


def test_lines_go_through_models_that_are_gone(fleet: munet.System):
    tables = fleet.history()
    line = lineage.line(tables, "cmaterdb-bangla")
    assert line[-1].model == fleet.root
    assert line[0].task == "cmaterdb-bangla"
    assert "emnist-digits" in lineage.ancestor_tasks(tables, "cmaterdb-bangla")
    assert any(one.model is None for one in line)
    counts = flow.ancestor_counts(tables)
    assert counts.loc["cmaterdb-bangla", "emnist-digits"] >= 1
    assert counts.loc["mnist"].sum() == 0
    assert flow.ancestor_shares(tables).loc["mnist"].sum() == 0


def test_everything_is_derived_with_what_there_is(fleet: munet.System):
    tables, status = fleet.history(), fleet.status()
    totals = summary.totals(tables)
    for name in ("mean_validation_accuracy", "mean_test_accuracy", "unique_parameters", "flops_per_task"):
        assert totals[name] == status[name]
    assert costs.parameters(tables)["trained"].sum() == status["unique_parameters"]
    assert set(costs.rejected(tables)["reason"]) <= {costs.NOT_RECORDED}
    assert sharing.shared_layers(tables).shape == (3, 3)
    assert len(lineage.transfers(tables)) == len(tables.layers)
    assert len(learning.gaps(tables)) == 3
    assert not settings.distributions(tables).empty
    table = progress.progress(tables)
    assert table["derived"].all()
    assert table.iloc[-1]["unique_parameters"] == status["unique_parameters"]
    assert table.iloc[-1]["flops_per_task"] == status["flops_per_task"]
    assert summary.changes(tables).empty


@pytest.mark.parametrize("fleet", [write_mu2net], indirect=True)
def test_an_imported_system_that_grew_on(fleet: munet.System, tiny_npz: Path):
    before = models_now(fleet)
    attach(fleet, "cmaterdb-bangla", f"npz:{tiny_npz}")
    evolve(fleet, ["cmaterdb-bangla"], method="mu2net-plus", task_iterations=1, executor="local", **SMALL)
    tables = fleet.history()
    assert tables.runs["imported"].tolist() == [True, False]
    assert growth.retained_at(tables, 5) == before
    last = len(tables.children) - 1
    assert growth.retained_at(tables, last) == models_now(fleet)
    assert {task: moment.model for task, moment in growth.best_at(tables, last).items()} == models_now(fleet)
    retained = tables.children[tables.children["retained"]]
    assert set(retained["model"]) == {*before.values(), *models_now(fleet).values()}
    table = summary.changes(tables)
    assert dict(zip(table["task"], table["model_before"], strict=True)) == before
    points = progress.progress(tables)
    assert points["derived"].tolist() == [True, True, True, False]
    assert points.iloc[-1]["unique_parameters"] == fleet.status()["unique_parameters"]
