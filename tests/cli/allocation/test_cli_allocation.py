"""munet allocation: train, evaluate, plot, table; interruptions and kills; what cannot be is one line."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cli_tools import Run, munet
from munet.allocation.runs.comparison import read, sizes
from munet.cli.allocation.view import Clock, evaluation_line, stopping

SIZES = {"train": 80, "validation": 40, "test": 40, "dimension": 6}
TINY = ["--threads", "1", "--device", "cpu", *(f"--set={name}={size}" for name, size in SIZES.items())]
SHORT = ["--preset", "smoke", "--rounds", "6", "--evaluate-every", "2", *TINY]


@pytest.fixture
def run(run: Run) -> Run:
    """Runs `munet allocation` with these words."""
    return lambda *words: run("allocation", *words)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished runs: two seeds of gumbel_matrix, one of shared_bottom."""
    from munet.allocation.runs.perform import configured, perform

    out = tmp_path_factory.mktemp("runs")
    for method, seed in (("gumbel_matrix", 0), ("gumbel_matrix", 1), ("shared_bottom", 0)):
        given: dict[str, Any] = {"rounds": 6, "evaluate_every": 2, "threads": 1, "seed": seed, "data": SIZES}
        perform(configured("synthetic", method, "smoke", **given), out / f"{method}-{seed}", device="cpu")
    return out


def test_train_says_what_it_does_and_the_same_command_has_nothing_left(run: Run, tmp_path: Path) -> None:
    words = ["train", "synthetic", "--out", tmp_path / "run", *SHORT]
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["round 2/6", "round 4/6", "round 6/6"]
    assert "validation" in lines[0]
    assert "about" in lines[0], "how long it will take"
    assert "Next: munet allocation plot" in lines[-1]
    again = run(*words)
    assert again[0] == 0
    assert [line for line in again[1].splitlines() if line.startswith("round")] == []
    assert again[1].splitlines()[-1] == lines[-1]


def test_json_is_one_event_a_line(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("train", "synthetic", "--out", tmp_path / "run", *SHORT, "--json")
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["started", "evaluated", "evaluated", "evaluated", "finished"]
    assert events[-1]["best"]["means"].keys() == {"train", "validation", "test"}
    assert events[-1]["request"]["rounds"] == 6


def test_every_option_reaches_the_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def perform(config: Any, out: Path, data: Path | None, **options: Any) -> None:
        seen.update(config.request(), out=out, data=data, device=options["device"])
        raise KeyboardInterrupt

    monkeypatch.setattr("munet.allocation.runs.perform.perform", perform)
    options: dict[str, Any] = {
        "rounds": 9, "batch_size": 3, "learning_rate": 0.1, "l2_penalty": 0.2, "inactive_gradients": "skip",
        "update": "per-round", "evaluate_every": 4, "keep": "best", "router_learning_rate": 0.3, "probs_init": 0.4,
        "temperature_init": 9.0, "temperature_min": 0.6, "combine": "sum", "budget": 0.7, "budget_penalty": 0.8,
        "budget_unit": "flops", "entropy_penalty": 0.9, "entropy_penalty_alpha": 2.0, "disconnect_penalty": 0.11,
        "connection_penalty": 0.12, "seed": 5, "threads": 2, "method": "shared_bottom", "preset": "small",
        "device": "cpu",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    more = ["--no-l2-norms", "--fallback", "--set", "alphabets=2", "--set", "invert=false", "--data", str(tmp_path)]
    assert run("train", "omniglot20", "--out", tmp_path / "run", *words, *more)[0] == 130
    wanted = options | {
        "l2_norms": False,
        "fallback": True,
        "data.alphabets": 2,
        "data.invert": False,
        "data": tmp_path,
    }
    assert {name: seen[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("train mnist --out OUT", "unknown experiment 'mnist' (did you mean 'mnist4'?); known: mnist4, omniglot20"),
        ("train synthetic --out OUT --method gumbel", "--method gumbel (did you mean 'gumbel_matrix'?): choose one of"),
        ("train synthetic --out OUT --budget 1.2", "--budget 1.2: a share of the components above 0 and at most 1"),
        ("train synthetic --out OUT --set pairs=x", "--set pairs=x: give a whole number"),
        ("train synthetic --out OUT --set pairs", "--set pairs: write it as name=value"),
        ("train synthetic --out OUT --set correlation=2", "correlation 2: give a number from 0"),
        ("train synthetic --out OUT --temperature-init warm", "--temperature-init warm: give a number, or scaled"),
        ("train synthetic --out OUT --device tpu", "device 'tpu' cannot be used here"),
        ("train omniglot20 --preset smoke --out OUT --data NOWHERE", "Omniglot"),
        ("train omniglot20 --preset smoke --out OUT --method no_sharing --data NOWHERE", "Omniglot"),
        ("evaluate NOWHERE", "no run of munet allocation there"),
        ("evaluate NOWHERE --checkpoint first", "--checkpoint first: choose one of best, last, all"),
        ("plot NOWHERE", "no run of munet allocation there"),
        ("plot NOWHERE --kind heat", "--kind heat: choose one of pattern, similarity, fraction"),
        ("plot NOWHERE --write a.gif", "--write a.gif: the name should end in .png, .svg, .pdf"),
        ("table NOWHERE", "no run of munet allocation there"),
        ("table NOWHERE --write a.txt", "--write a.txt: the name should end in .md, .csv, .tex"),
    ],
)
def test_what_cannot_be_is_one_line(words: str, line: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    code, said, err = run(
        *(word.replace("OUT", str(out)).replace("NOWHERE", str(tmp_path / "empty")) for word in words.split())
    )
    assert (code, said, err.count("\n")) == (2, "", 1)
    assert line in err
    assert not out.exists(), "nothing was begun"


def test_no_sharing_on_clusters_names_the_numbers(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from munet.allocation.data.examples import Examples
    from munet.allocation.data.tasks import TaskData

    noise = Examples(np.zeros((4, 32, 32, 3), np.uint8), np.arange(4))
    tasks = [TaskData(f"t{k}", "c", 5, {"train": noise, "test": noise}) for k in range(6)]
    monkeypatch.setattr("munet.allocation.data.tasks.load", lambda *words, **options: tasks)
    code, _, err = run("train", "clusters40", "--method", "no_sharing", "--preset", "smoke", "--out", tmp_path / "run")
    assert code == 2
    assert "16 components for 6 tasks" in err
    assert not (tmp_path / "run").exists()


def test_a_directory_of_another_configuration_names_what_differs(run: Run, runs: Path) -> None:
    before = (runs / "gumbel_matrix-0" / "config.json").read_bytes()
    words = ["train", "synthetic", "--out", runs / "gumbel_matrix-0", *SHORT, "--budget", "0.25", "--seed", "4"]
    code, _, err = run(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert "seed is 0 there, 4 asked" in err
    assert "budget is 0.5 there, 0.25 asked" in err
    assert (runs / "gumbel_matrix-0" / "config.json").read_bytes() == before


def test_evaluate_shows_checkpoints_and_tasks(run: Run, runs: Path) -> None:
    code, out, _ = run("evaluate", runs / "gumbel_matrix-0", "--checkpoint", "all", "--device", "cpu")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()[:3]] == ["round 2", "round 4", "round 6"]
    assert all(name in out for name in ("best by validation", "pair0-a", "pair1-b", "test %", "accounted"))
    code, out, _ = run("evaluate", runs / "gumbel_matrix-0", "--device", "cpu", "--json")
    found = json.loads(out)
    summary = json.loads((runs / "gumbel_matrix-0" / "summary.json").read_text())
    assert (code, found["chosen"]["means"]) == (0, summary["best"]["means"])


def test_plot_writes_every_kind(run: Run, runs: Path, tmp_path: Path) -> None:
    assert run("plot", runs / "gumbel_matrix-0")[0] == 0
    assert (runs / "gumbel_matrix-0" / "pattern.png").read_bytes().startswith(b"\x89PNG")
    for kind in ("similarity", "fraction"):
        code, _, err = run(
            "plot",
            runs / "gumbel_matrix-0",
            "--kind",
            kind,
            "--write",
            tmp_path / "a.svg",
            "--write",
            tmp_path / "a.pdf",
        )
        assert (code, err.count("wrote")) == (0, 2)
        assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert run("plot", runs / "gumbel_matrix-0", "--checkpoint", "3")[0] == 2


def test_plot_draws_quality_and_size_of_several(run: Run, runs: Path, tmp_path: Path) -> None:
    folders = sorted(runs.iterdir())
    assert run("plot", *folders, "--kind", "size", "--write", tmp_path / "size.png")[0] == 0
    assert (tmp_path / "size.png").read_bytes().startswith(b"\x89PNG")
    summaries, _ = read(folders)
    curves = {curve.name: curve.points[0] for curve in sizes(summaries)}
    best = [summary["best"] for summary in summaries if summary["request"]["method"] == "gumbel_matrix"]
    assert curves["gumbel_matrix"].x == pytest.approx(sum(b["accounted_parameters_per_task"] for b in best) / 2)
    assert curves["gumbel_matrix"].low == min(b["means"]["test"] for b in best)
    code, _, err = run("plot", *folders)
    assert (code, err.count("\n")) == (2, 1)
    assert "draws one run, not 3" in err


def test_table_has_a_row_for_each_configuration(run: Run, runs: Path, tmp_path: Path) -> None:
    folders = sorted(path for path in runs.iterdir())
    code, out, _ = run("table", *folders, "--json")
    rows = json.loads(out)["tables"][0]["rows"]
    assert code == 0
    assert [(row["method"], row["seeds"]) for row in rows] == [("gumbel_matrix", 2), ("shared_bottom", 1)]
    tests = [
        json.loads((runs / f"gumbel_matrix-{k}" / "summary.json").read_text())["best"]["means"]["test"] for k in (0, 1)
    ]
    assert rows[0]["test_mean"] == pytest.approx(sum(tests) / 2)
    assert rows[0]["test_range"] == [min(tests), max(tests)]
    assert rows[1]["fraction_used"] == 1
    code, out, err = run("table", *folders, "--write", tmp_path / "t.md", "--write", tmp_path / "t.csv")
    assert (code, err.count("wrote")) == (0, 2)
    assert "shared_bottom" in out
    assert (
        "| gumbel\\_matrix | 2 |" in (tmp_path / "t.md").read_text()
        or "| gumbel_matrix | 2 |" in (tmp_path / "t.md").read_text()
    )
    assert (tmp_path / "t.csv").read_text().splitlines()[1].startswith("gumbel_matrix,2,")
    code, _, err = run("table", folders[0], folders[0])
    assert (code, err.count("\n")) == (2, 1)
    assert "name each once" in err


def test_labels_say_what_sets_configurations_of_a_method_apart() -> None:
    from munet.allocation.runs.comparison import by_configuration

    def summary(method: str, **request: Any) -> dict[str, Any]:
        return {"request": {"method": method, "seed": 0, "budget": 1.0, "threads": None, **request}}

    found = by_configuration(
        [summary("a"), summary("a", seed=1), summary("a", budget=0.75), summary("b"), summary("b", threads=2)]
    )
    assert {label: len(held) for label, held in found.items()} == {
        "a budget=1.0": 2, "a budget=0.75": 1, "b": 1, "b′": 1,
    }  # fmt: skip


# Interruptions


SIGNALS_ITSELF = """
import os, sys
from munet.allocation.runs.folder import RunFolder
written, write = [], RunFolder.write_state
def write_state(self, state):
    write(self, state)
    written.append(state)
    if len(written) == 2:
        os.kill(os.getpid(), int(os.environ["SIGNAL"]))
RunFolder.write_state = write_state
from munet.cli import main
main()
"""
LONG = ["--preset", "smoke", "--rounds", "12", "--evaluate-every", "3", *TINY]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_to_the_same_bits(how: signal.Signals, tmp_path: Path, run: Run) -> None:
    """The process signals itself after its second save, in the middle of the run."""
    words = ["allocation", "train", "synthetic", "--out", str(tmp_path / "cut"), *LONG]
    ended = munet(*words, code=SIGNALS_ITSELF, SIGNAL=str(int(how)))
    codes = {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130, signal.SIGTERM: 128 + signal.SIGTERM}
    assert ended.returncode == codes[how], ended.stderr
    assert not (tmp_path / "cut" / "summary.json").exists()
    if how == signal.SIGINT:
        stopping, interrupted = ended.stderr.splitlines()
        assert stopping == "munet: stopping after this round; Ctrl-C again stops at once"
        assert interrupted.startswith(f"munet: interrupted; the same command goes on: munet {' '.join(words[:5])}")
    code, said, _ = run("train", "synthetic", "--out", tmp_path / "cut", *LONG)
    assert code == 0
    assert f"going on after round {7 if how == signal.SIGINT else 6} of 12" in said
    assert run("train", "synthetic", "--out", tmp_path / "whole", *LONG)[0] == 0
    found = [json.loads((tmp_path / name / "summary.json").read_text()) for name in ("cut", "whole")]
    for summary in found:
        for name in ("seconds", "started", "finished", "sha256"):
            del summary[name]
    assert found[0] == found[1]
    assert (tmp_path / "cut" / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()


def test_the_second_interrupt_stops_at_once() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with stopping() as stop:
            assert not stop()
            os.kill(os.getpid(), signal.SIGINT)
            assert stop()
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


# Views


def test_an_evaluation_in_one_line() -> None:
    line = {
        "round": 250, "rounds": 37_500, "mean_validation": 0.93124, "best": True, "fraction_used": 0.714,
        "empty_rows": 2, "training_loss": {"a": 0.3, "b": 0.5}, "seconds": 12.0,
    }  # fmt: skip
    assert evaluation_line(line, 1771.0) == (
        "round 250/37,500: validation 93.12 % (best), used 71 %, training loss 0.4, 2 empty layers; "
        "0:12, about 29:31 left"
    )
    without = {name: value for name, value in line.items() if name != "mean_validation"} | {"empty_rows": 0}
    assert evaluation_line(without, None) == "round 250/37,500: used 71 %, training loss 0.4; 0:12"


def test_the_time_left_counts_the_rounds_of_this_session() -> None:
    now = [0.0]
    clock = Clock(lambda: now[0])
    clock.start(100)
    assert clock.left(100, 200) is None
    now[0] = 5.0
    assert clock.left(110, 200) == 45


def test_a_terminal_shows_a_bar_and_keeps_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from rich.console import Console

    from munet.cli.allocation import view as allocation_view

    out = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(allocation_view, "console", lambda: out)
    with allocation_view.watching(False) as observe:
        observe("started", {"round": 2, "rounds": 8, "resumed": True})
        observe("round", {"round": 3, "rounds": 8})
        observe(
            "evaluated",
            {
                "round": 4,
                "rounds": 8,
                "fraction_used": 0.5,
                "empty_rows": 0,
                "training_loss": {"a": 1.0},
                "seconds": 1.0,
            },
        )
    shown = out.file.getvalue()  # type: ignore[attr-defined]
    assert all(part in shown for part in ("going on after round 2 of 8", "round 4/8: used 50 %", "3/8"))
