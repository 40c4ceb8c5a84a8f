"""experiment table and experiment plot: what is printed, written and refused."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli_tools import munet
from experiment_tools import METHODS, grid, history, result, write
from munet.cli.experiment.tables import plot, table
from munet.errors import InputError

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four methods, two seeds at mini, one at small; a run that is not finished, one that is damaged."""
    names = ("finetune-full", "munet", "munet+scale=0.3", "mu2net-plus")
    folder = tmp_path_factory.mktemp("experiments")
    grid(folder, {name: METHODS[name] for name in names}, seeds=2)
    grid(folder, {name: METHODS[name] for name in names[:2]}, seeds=1, budgets={"small": 4})
    (folder / "toy/mini/munet/2/system").mkdir(parents=True)
    (folder / "toy/mini/mu2net/0").mkdir(parents=True)
    (folder / "toy/mini/mu2net/0/result.json").write_text('{"format": 1')
    return folder


@pytest.fixture
def run(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Gives a command its words in an empty folder; raises what the command raises."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("table")(table)
    app.command("plot")(plot)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def given(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--out", str(out)], catch_exceptions=False)

    return given


def test_a_table_shows_what_is_finished_and_lists_the_rest(run: Run):
    done = run("table", "toy", "--budget", "mini")
    assert done.exit_code == 0
    rows = [line.split()[0] for line in done.stdout.splitlines() if "%" not in line and line[:1] in ("f", "m")]
    assert [row for row in rows if row in METHODS] == ["finetune-full", "munet+scale=0.3", "munet", "mu2net-plus"]
    assert "toy, budget mini: quality, size and compute of each method" in done.stdout
    assert "without" in done.stdout, "a mean without omniglot, unasked"
    assert "note: not finished: mini munet (seed 2)\n" in done.stderr
    assert "note: left out: " in done.stderr
    assert "mu2net/0/result.json is cut short" in done.stderr
    assert "accuracy of each task" not in done.stdout


def test_methods_seeds_and_tasks_can_be_chosen(run: Run):
    done = run("table", "--budget", "mini", "--method", "munet", "--method", "adapters:64", "--seeds", "3",
               "--against", "finetune-full", "--without", "digits", "--json")  # fmt: skip
    printed = json.loads(done.stdout)
    methods, differences = printed["tables"]
    assert [row["method"] for row in methods["rows"]] == ["munet", "finetune-full"], "in this order"
    assert [row["method"] for row in differences["rows"]] == ["munet"]
    assert printed["unfinished"] == [{"method": "munet", "seed": 2}]
    assert printed["missing"] == [
        *({"method": "adapters:64", "seed": seed} for seed in (0, 1, 2)),
        {"method": "finetune-full", "seed": 2},
    ]
    assert "mean without" not in json.dumps(methods["remarks"])
    assert methods["rows"][0]["test_mean_without"] != methods["rows"][0]["test_mean"]
    assert printed["damaged"] == []


def test_numbers_are_the_same_on_the_screen_and_for_programs(run: Run):
    rows = json.loads(run("table", "toy", "--budget", "mini", "--json").stdout)["tables"][0]["rows"]
    shown = run("table", "toy", "--budget", "mini").stdout
    for row in rows:
        assert f"{100 * row['test_mean']:.2f}" in shown
        assert f"{row['parameters_per_task']:,.0f}" in shown


def test_files_are_written_by_their_suffix(run: Run, tmp_path: Path):
    done = run("table", "toy", "--budget", "mini", "--per-task", "--against", "munet", "--published", "mccb",
               "--write", "a.md", "--write", "a.TEX", "--write", "a.csv")  # fmt: skip
    files = {"a.md", "a.TEX", "a.csv", "a-test.csv", "a-validation.csv", "a-differences.csv", "a-published.csv"}
    assert {file.name for file in tmp_path.iterdir()} == files
    assert all(f"note: wrote {name}" in done.stderr for name in files)
    assert "accuracy of each task" in done.stdout, "what is written is shown too"
    assert (tmp_path / "a.md").read_text().count("### ") == 5
    assert (tmp_path / "a.TEX").read_text().count(r"\toprule") == 5
    with (tmp_path / "a-test.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["task"] for row in rows][:2] == ["digits", "letters"]
    assert 0 < float(rows[0]["munet_mean"]) < 1


@pytest.mark.parametrize(("format", "begins"), [("markdown", "### toy"), ("csv", "method,seeds"), ("latex", "% needs")])
def test_formats_go_to_standard_output(run: Run, format: str, begins: str):
    done = run("table", "toy", "--budget", "mini", "--format", format)
    assert done.stdout.startswith(begins)
    assert done.stdout.endswith("\n")


def test_a_lone_budget_needs_no_name(run: Run, tmp_path: Path):
    write(tmp_path / "other", result("continual", 0, {"a": 0.5}, budget="sequence", benchmark="grown"))
    app = typer.Typer()
    app.command()(table)
    done = CliRunner().invoke(app, ["--out", str(tmp_path / "other")], catch_exceptions=False)
    assert "grown, budget sequence" in done.stdout


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("table", "tooy"), r"no runs of 'tooy' \(did you mean 'toy'\?\)"),
        (("table", "toy", "--budget", "miny"), r"no runs at budget 'miny' \(did you mean 'mini'\?\)"),
        (("table", "toy", "--method", "munett"), r"unknown method 'munett' \(did you mean 'munet'\?\)"),
        (("table", "toy", "--method", "adapters:64"), r"no finished run .*; not run yet: mini adapters:64$"),
        (("table", "toy", "--method", "mu2net"), r"no finished run of toy at budget mini .*; left out: .*mu2net/0"),
        (("table", "toy", "--against", "munnet"), r"--against munnet \(did you mean 'munet'\?\): no run of it"),
        (("table", "toy", "--without", "digit"), r"--without digit \(did you mean 'digits'\?\): no run has this task"),
        (("table", "toy", "--published", "mcb"), r"--published mcb \(did you mean 'mccb'\?\)"),
        (("table", "toy", "--format", "markdwon"), r"--format markdwon \(did you mean 'markdown'\?\)"),
        (("table", "toy", "--write", "x.xls"), r"--write x\.xls: the name should end in \.md, \.csv, \.tex"),
        (("table", "toy", "--write", "no/x.md"), r"there is no folder no; make it first"),
        (("plot", "toy", "--kind", "pareto"), r"--kind pareto \(did you mean 'pareto-size'\?\)"),
        (("plot", "toy", "--write", "x.gif"), r"--write x\.gif: the name should end in \.png, \.svg, \.pdf"),
        (("plot", "toy", "--budget", "mini", "--budget", "small"), r"only --kind samples draws several budgets"),
        (("plot", "toy", "--trails"), r"--trails goes with --kind samples"),
        (("plot", "toy", "--against", "munet"), r"--against goes with --kind samples"),
        (("plot", "toy", "--kind", "growth", "--without", "digits"), r"--without cannot be used with --kind growth"),
        (("plot", "toy", "--kind", "samples", "--against", "mu2net-plus+scale=0.3"), r"no run of it is finished"),
        (("plot", "toy", "--without", "digit"), r"did you mean 'digits'"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run: Run, tmp_path: Path, words: tuple[str, ...], printed: str):
    with pytest.raises(InputError, match=printed) as caught:
        run(*words)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_benchmark_must_be_named_where_there_are_several(tmp_path: Path):
    for name in ("one", "two"):
        write(tmp_path, result("munet", 0, {"a": 0.5}, benchmark=name))
    with pytest.raises(InputError, match=r"name a benchmark of .*: there are one, two"):
        table(out=tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        table(out=tmp_path / "nowhere")


@pytest.mark.parametrize("kind", ["pareto-size", "pareto-compute", "samples", "growth"])
def test_every_kind_is_drawn(run: Run, tmp_path: Path, kind: str):
    done = run("plot", "toy", "--kind", kind)
    assert (tmp_path / f"toy-{kind}.png").read_bytes().startswith(b"\x89PNG")
    assert f"note: wrote toy-{kind}.png" in done.stderr
    assert "not finished: mini munet (seed 2)" in done.stderr


def test_where_curves_cross_is_told(run: Run, tmp_path: Path):
    words = (
        "plot",
        "toy",
        "--kind",
        "samples",
        "--method",
        "munet",
        "--method",
        "mu2net-plus",
        "--against",
        "finetune-full",
    )
    printed = run(*words, "--write", "x.svg", "--trails").stdout.splitlines()
    assert len(printed) == 4, "two methods, over samples and over FLOPs"
    assert printed[0].startswith("munet against finetune-full: ")
    assert "training samples per task" in printed[0]
    assert printed[1].startswith("mu2net-plus against finetune-full: ahead at 51,200 training samples per task")
    assert "TFLOPs spent per task" in printed[2]
    assert (tmp_path / "x.svg").exists()


def test_segments_are_drawn(tmp_path: Path):
    steps = history(["a", "b"], 4, segments=["A", "B"])
    write(tmp_path, result("continual", 0, {"a": 0.5, "b": 0.6}, budget="sequence", history=steps))
    plot(out=tmp_path, kind="growth", write=[tmp_path / "x.pdf"])
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_help_imports_nothing_heavy():
    code = (
        "import sys, munet.cli.experiment.tables\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'datasets', 'rich', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    done = munet(code=code)
    assert done.returncode == 0, done.stderr


def test_a_table_needs_no_torch(out: Path):
    code = (
        "import sys; from pathlib import Path; from munet.cli.experiment.tables import table\n"
        "table(out=Path(sys.argv[1]), budget='mini')\n"
        "sys.exit('imports torch' if 'torch' in sys.modules else 0)"
    )
    done = munet(str(out), code=code)
    assert done.returncode == 0, done.stderr
