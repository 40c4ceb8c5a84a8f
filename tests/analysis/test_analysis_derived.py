"""What is derived from the tables: against the other commands, against plain arithmetic, and sums that must hold."""

# pandas carries no types of its own, and what is inferred of a table is a union of all it might hold:
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false

from collections import Counter

import numpy as np
import pytest

import munet
from analysis_tools import big_system
from munet.analysis import History, costs, flow, learning, lineage, progress, settings, sharing, summary
from munet.errors import InputError
from munet.store import derived


@pytest.fixture(params=["trained", "made_up"])
def system(request: pytest.FixtureRequest) -> munet.System:
    return request.getfixturevalue(request.param)


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> History:
    return big_system(tmp_path_factory.mktemp("empty") / "s", tasks=2, children=0, blocks=2).history()


def models_now(system: munet.System) -> dict[str, str]:
    return {row["name"]: row["model"] for row in system.status()["tasks"] if row["model"]}


# Lineage -------------------------------------------------------------------------------------------------------------


def test_a_line_is_the_lineage_with_its_steps(system: munet.System):
    tables = system.history()
    for task, model in models_now(system).items():
        chain = derived.lineage(system.store, model)
        line = lineage.line(tables, task)
        assert [one.model for one in line] == [identity for identity, _ in chain]
        assert [one.task for one in line] == [manifest["task"] for _, manifest in chain]
        assert line[-1].step is None
        assert lineage.ancestors(tables, model) == line[1:]
        assert lineage.ancestors(tables, model[:12]) == line[1:]
        for one in line[:-1]:
            assert tables.children.loc[one.step, "model"] == one.model
        tasks = [one.task for one in line if one.task]
        assert lineage.ancestor_tasks(tables, task) == sorted(set(tasks), key=tasks.index)


def test_words_that_name_no_model(trained: munet.System):
    tables = trained.history()
    assert lineage.ancestors(tables, "root") == []
    with pytest.raises(InputError, match="task 'waiting' has no model yet"):
        lineage.line(tables, "waiting")
    with pytest.raises(InputError, match=r"no task or model 'shape' \(did you mean 'shapes'\?\)"):
        lineage.line(tables, "shape")


def test_the_tree_has_a_line_for_each_child_of_a_child(system: munet.System):
    tables = system.history()
    tree = lineage.tree(tables)
    children = tables.children
    assert len(tree) == (children["parent_step"].notna() & children["score"].notna()).sum()
    assert (tree["parent_step"] < tree["step"]).all()
    kept = {one.step for task in models_now(system) for one in lineage.line(tables, task)} - {None}
    assert set(tree.loc[tree["retained"], "step"]) == kept & set(tree["step"])


def test_transfers_against_the_notebooks_way(system: munet.System):
    tables = system.history()
    found = lineage.transfers(tables).set_index(["task", "slot"])
    assert len(found) == len(tables.layers)
    for task, model in models_now(system).items():
        chain = derived.lineage(system.store, model)
        for slot, layer in chain[0][1]["layers"].items():
            tracked, tasks = layer, set()
            for _, ancestor in chain[1:]:
                if tracked not in ancestor["layers"].values():
                    if slot not in ancestor["layers"]:
                        break
                    tracked = ancestor["layers"][slot]
                    tasks.add(ancestor["task"])
            row = found.loc[(task, slot)]
            assert set(row["through"]) == tasks - {None}
            assert row["depth"] == len(row["through"])
            assert (row["trained"] == 0) == (not row["trainers"])
            first = tables.layers.query("task == @task and slot == @slot")["trained_by"].item()
            assert first == (row["trainers"][0] if row["trainers"] else "root")


# Sharing and flow ----------------------------------------------------------------------------------------------------


def test_shared_layers_are_those_of_diff(system: munet.System):
    tables, models = system.history(), models_now(system)
    counts, parameters = sharing.shared_layers(tables), sharing.shared_parameters(tables)
    assert list(counts.index) == list(counts.columns) == list(models)
    assert (counts.to_numpy() == counts.to_numpy().T).all()
    for task, model in models.items():
        assert counts.loc[task, task] == len(system.manifest(model)["layers"])
        for other in models:
            same = system.diff(task, other)
            assert counts.loc[task, other] == len(same["shared"])
            assert parameters.loc[task, other] == same["shared_parameters"]


def test_flow_counts_every_ancestor_once(system: munet.System):
    tables = History.of({"a": system, "b": system})
    counts = flow.ancestor_counts(tables)
    for task, model in models_now(system).items():
        ancestors = Counter(manifest["task"] for _, manifest in derived.lineage(system.store, model)[1:])
        for other in counts.columns:
            assert counts.loc[task, other] == 2 * ancestors[other]
    shares = flow.ancestor_shares(tables)
    sums = shares.sum(axis=1).to_numpy()
    assert np.allclose(sums, counts.sum(axis=1).to_numpy() > 0)
    edges = flow.edges(tables)
    assert len(edges) == (counts.to_numpy() > 0).sum()
    assert edges["count"].sum() == counts.to_numpy().sum()
    assert edges["width"].between(1 / 3, 1).all()
    for row in edges.itertuples():
        assert row.share == pytest.approx(shares.loc[row.task, row.ancestor])
        total = counts.loc[row.task].sum()
        assert row.width == pytest.approx((row.count + 0.5 * total) / (total + 0.5 * total))


# Settings ------------------------------------------------------------------------------------------------------------


def test_distributions_count_the_retained_values(system: munet.System):
    table = settings.distributions(system.history())
    for name, rows in table.groupby("name"):
        values = [system.manifest(model)["hyperparameters"].get(name) for model in models_now(system).values()]
        assert Counter(dict(zip(rows["value"], rows["count"], strict=True))) == Counter(
            value for value in values if value is not None
        )
        assert rows["share"].sum() == pytest.approx(1)
        assert rows["value"].tolist() == sorted(rows["value"])


def test_a_schedule_follows_the_line(system: munet.System):
    tables = system.history()
    task = next(iter(models_now(system)))
    log = system.log(task)[::-1][1:]  # the oldest first, without the root
    for column in ("learning_rate", "hp.learning_rate"):
        table = settings.schedule(tables, task, column)
        assert table["value"].tolist() == [entry["hyperparameters"]["learning_rate"] for entry in log]
        assert table["task"].tolist() == [entry["task"] for entry in log]
        assert table["step"].is_monotonic_increasing
    assert settings.schedule(tables, task, "score")["value"].tolist() == [entry["score"] for entry in log]
    with pytest.raises(InputError, match=r"no column 'learning_rat' of children \(did you mean"):
        settings.schedule(tables, task, "learning_rat")


def test_the_line_through_probabilities_is_the_least_squares_one(made_up: munet.System, trained: munet.System):
    tables = made_up.history()
    fit = settings.by_depth(tables)
    mine = tables.probabilities[tables.probabilities["mutation"].str.startswith("clone:block.")]
    slope, intercept = np.polyfit(mine["block"], mine["probability"], 1)
    assert fit.slope == pytest.approx(slope)
    assert fit.intercept == pytest.approx(intercept)
    assert [point.block for point in fit.points] == sorted(set(mine["block"]))
    assert sum(len(point.probabilities) for point in fit.points) == len(mine)
    assert fit.points[0].mean == pytest.approx(mine.loc[mine["block"] == 0, "probability"].mean())
    assert settings.by_depth(trained.history(), "insert", "adapter").kind == "insert"


def test_histograms_of_probabilities(made_up: munet.System):
    tables = made_up.history()
    table = settings.probability_histograms(tables)
    single = table[table["mutation"].isin(set(tables.probabilities["mutation"]))]
    assert single["count"].sum() == len(tables.probabilities)
    whole = table[table["mutation"] == "clone:block"]
    blocks = table[table["mutation"].str.startswith("clone:block.")]
    assert whole["count"].sum() == blocks["count"].sum()
    assert np.allclose(table.groupby("mutation")["share"].sum(), 1)


# Learning ------------------------------------------------------------------------------------------------------------


def test_curves_join_the_cycles_up_to_the_kept_ones(system: munet.System):
    tables = system.history()
    curves = learning.curves(tables)
    for task, model in models_now(system).items():
        chain = derived.lineage(system.store, model)
        values: list[float] = []
        for number, (_, manifest) in enumerate(chain):
            if manifest["task"] != task:
                continue
            metrics = manifest["metrics"]
            whole = number == 0 and chain[1][1]["task"] is None
            assert metrics["cycle"] is not None
            values = metrics["accuracies"][: None if whole else metrics["cycle"] + 1] + values
        mine = curves[curves["task"] == task]
        assert mine["accuracy"].tolist() == values
        assert mine["validation"].tolist() == list(range(1, len(values) + 1))
        assert mine["selected"].sum() == 1
        selected = mine[mine["selected"]].iloc[0]
        assert selected["accuracy"] == chain[0][1]["metrics"]["validation_accuracy"]
    gaps = learning.gaps(tables).merge(tables.tasks, on="task")
    assert gaps["validation_accuracy_x"].tolist() == gaps["validation_accuracy_y"].tolist()
    assert gaps["gap"].tolist() == (gaps["validation_accuracy_y"] - gaps["test_accuracy_y"]).tolist()
    assert len(gaps) == len(models_now(system))


# Costs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["task", "method", ["system", "run"], "device", "hp.flip"])
def test_what_was_spent_adds_up(system: munet.System, by: str | list[str]):
    tables = system.history()
    table, children = costs.spent(tables, by), tables.children
    assert table["children"].sum() == len(children)
    for name in ("accepted", "retained", "samples"):
        assert table[name].sum() == children[name].sum()
    for name in ("train_seconds", "validation_seconds", "other_seconds", "train_flops", "validation_flops"):
        assert table[name].sum() == pytest.approx(children[name].sum())
    parts = table["train_seconds"] + table["validation_seconds"] + table["other_seconds"]
    assert np.allclose(table["seconds"], parts)
    assert np.allclose(table["flops"], table["train_flops"] + table["validation_flops"])
    with pytest.raises(InputError, match=r"no column 'tasks' of children \(did you mean 'task'\?\)"):
        costs.spent(tables, "tasks")


def test_rejected_children_are_counted_by_why(made_up: munet.System):
    tables = made_up.history()
    table = costs.rejected(tables)
    assert table["children"].sum() == (~tables.children["accepted"]).sum()
    assert set(table["reason"]) == {"not better than its parent", "non-finite loss"}
    failed = tables.children["accuracy"].isna().sum()
    assert table.loc[table["reason"] == "non-finite loss", "children"].sum() == failed
    assert costs.kind_of(None) == costs.kind_of(float("nan")) == costs.NOT_RECORDED  # type: ignore[arg-type]
    assert costs.kind_of("something new") == "something new"


def test_parameters_add_up_to_the_unique_ones(system: munet.System):
    table, status = costs.parameters(system.history()), system.status()
    assert table["trained"].sum() == status["unique_parameters"]
    assert table["accounted"].sum() == pytest.approx(status["unique_parameters"])
    rows = {row["name"]: row for row in status["tasks"] if row["model"]}
    mine = table[table["task"] != "root"]
    assert mine["parameters"].tolist() == [row["parameters"] for row in rows.values()]
    assert (mine["parameters"] == mine["alone"] + mine["shared"]).all()
    assert mine["accounted"].tolist() == pytest.approx([row["accounted_parameters"] for row in rows.values()])
    assert (table["reused"] <= table["trained"]).all()


# The whole system ----------------------------------------------------------------------------------------------------

TOTALS = (
    "mean_validation_accuracy",
    "mean_test_accuracy",
    "unique_parameters",
    "parameters_per_task",
    "flops_per_task",
)


def test_totals_equal_status(system: munet.System):
    tables, status = system.history(), system.status()
    totals = summary.totals(tables)
    assert {name: totals[name] for name in TOTALS} == {name: status[name] for name in TOTALS}
    assert totals["tasks"] == len(status["tasks"])
    assert totals["children"] == len(tables.children)
    assert totals["flops_spent"]["train"] == pytest.approx(tables.children["train_flops"].sum())
    assert totals["layers"] == tables.layers["layer"].nunique()
    board = summary.leaderboard(tables)
    assert board["task"].tolist() == list(models_now(system))
    assert board["test_accuracy"].mean() == pytest.approx(status["mean_test_accuracy"])


def test_progress_ends_where_status_stands(system: munet.System):
    tables, status = system.history(), system.status()
    table = progress.progress(tables)
    assert len(table) == len(tables.iterations)
    assert not table["derived"].any()
    assert table["point"].tolist() == list(range(len(table)))
    assert {name: table.iloc[-1][name] for name in TOTALS} == {name: status[name] for name in TOTALS}
    assert table["samples"].is_monotonic_increasing
    assert table.iloc[-1]["flops_spent"] == pytest.approx(
        tables.children["train_flops"].sum() + tables.children["validation_flops"].sum()
    )


def test_progress_without_records_is_derived_and_the_same(made_up: munet.System):
    tables = made_up.history()
    recorded = progress.progress(tables)
    older = made_up.history()
    older.one().sampled.ends.clear()
    derived = progress.progress(older)
    assert derived["derived"].all()
    for name in ("step", "samples", "tasks", "mean_validation_accuracy", "unique_parameters", "flops_per_task"):
        assert derived[name].tolist() == pytest.approx(recorded[name].tolist()), name
    known = derived["mean_test_accuracy"].notna()
    assert derived.loc[known, "mean_test_accuracy"].tolist() == pytest.approx(
        recorded.loc[known, "mean_test_accuracy"].tolist()
    )
    assert known.iloc[-1]


def test_changes_of_a_run(trained: munet.System):
    tables = trained.history()
    table = summary.changes(tables)  # of the second run
    first = tables.iterations[tables.iterations["run"] == "0001"].drop_duplicates("task", keep="last")
    assert dict(zip(table["task"], table["model_before"], strict=True)) == dict(
        zip(first["task"], first["model"], strict=True)
    )
    assert dict(zip(table["task"], table["model_after"], strict=True)) == models_now(trained)
    now = {row["name"]: row["test_accuracy"] for row in trained.status()["tasks"]}
    assert table["test_accuracy_after"].tolist() == [now[task] for task in table["task"]]
    assert table["test_accuracy_before"].notna().all()
    assert summary.changes(tables, "0001").empty
    with pytest.raises(InputError, match="no run '9'"):
        summary.changes(tables, "9")


def test_nothing_is_derived_from_nothing(empty: History):
    assert summary.leaderboard(empty).empty
    totals = summary.totals(empty)
    assert (totals["tasks"], totals["evolved_tasks"], totals["children"], totals["unique_parameters"]) == (2, 0, 0, 0)
    assert totals["mean_score"] is totals["mean_test_accuracy"] is totals["seconds_per_child"] is None
    assert summary.changes(empty).empty
    assert sharing.shared_layers(empty).empty
    assert flow.ancestor_counts(empty).to_numpy().sum() == flow.ancestor_shares(empty).to_numpy().sum() == 0
    assert settings.by_depth(empty) == settings.ByDepth("clone", (), None, None)
    assert costs.parameters(empty)["trained"].tolist() == [0]
    tables = (lineage.tree, lineage.transfers, flow.edges, settings.distributions, settings.probability_histograms)
    tables += (learning.curves, learning.gaps, costs.spent, costs.rejected, progress.progress)
    for table in tables:
        assert table(empty).empty
