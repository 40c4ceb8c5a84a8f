"""The quickstart end to end on the real digits at a tiny budget: first run, interruption, second call, refusals."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import munet
from munet.analysis import model_history
from munet.cli.quickstart import result_view
from munet.errors import InputError, StoreError
from munet.evolution.events import ChildFinished, Event
from munet.quickstart import Setup, data, run
from munet.quickstart.journal import FILE

pytest.importorskip("sklearn", reason="the digits come with scikit-learn: pip install 'munet-ml[quickstart]'")

pytestmark = pytest.mark.timeout(60)


def digits_only(folder: Path) -> list[str]:
    """Three tasks from the real digits: all of them, the low ones, and later the high ones."""
    folder.mkdir(parents=True, exist_ok=True)
    data.write_digits(folder / "digits.npz")
    with np.load(folder / "digits.npz") as archive:
        images = np.concatenate([archive[f"{split}_image"] for split in ("train", "validation", "test")])
        labels = np.concatenate([archive[f"{split}_label"] for split in ("train", "validation", "test")])
    data.write_splits(folder / "low.npz", images[labels < 5], labels[labels < 5], list("01234"))
    data.write_splits(folder / "high.npz", images[labels >= 5], labels[labels >= 5] - 5, list("56789"))
    return ["digits", "low", "high"]


TINY = Setup(
    root="random:vit_tiny_patch16_224",
    depth=1,
    image_size=32,
    samples_per_task=128,
    cycles=2,
    batch_size=16,
    check=lambda: None,
    tasks=digits_only,
)


class Watcher:
    """Collects what is said and what happens; stops the run like Ctrl-C after so many children."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.said: list[str] = []
        self.children: list[ChildFinished] = []
        self.stop_after = stop_after

    def observe(self, event: Event) -> None:
        if isinstance(event, ChildFinished):
            self.children.append(event)
            if len(self.children) == self.stop_after:
                raise KeyboardInterrupt

    @contextmanager
    def watch(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
        yield self.observe


def start(folder: Path, watcher: Watcher, **options: Any) -> dict[str, Any]:
    given = {"threads": 1, "setup": TINY} | options
    return run(folder, say=watcher.said.append, watch=watcher.watch, **given)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Watcher]:
    folder, watcher = tmp_path_factory.mktemp("quickstart") / "here", Watcher()
    return folder, start(folder, watcher), watcher


def test_it_grows_a_system_with_a_later_task_and_leaves_a_picture(finished: tuple[Path, dict[str, Any], Watcher]):
    folder, result, watcher = finished
    system = munet.System.open(folder / "system")
    assert system.tasks == ["digits", "low", "high"]
    assert system.store.runs() == ["0001", "0002"]
    assert {child["task"] for child in model_history.children(system.store) if child["run"] == "0002"} == {"high"}
    assert system.fsck().ok
    assert (folder / "network.png").read_bytes().startswith(b"\x89PNG")
    assert not (folder / "baselines").exists()
    assert len(watcher.said) == 4
    assert result["later_task"] == "high"


def test_every_method_sees_the_same_number_of_training_images(finished: tuple[Path, dict[str, Any], Watcher]):
    _, result, _ = finished
    samples = {name: measured["training_samples"] for name, measured in result["methods"].items()}
    assert samples["head_only"] == dict.fromkeys(("digits", "low", "high"), 0)
    assert samples["fine_tuning"] == samples["tuned"] == dict.fromkeys(("digits", "low", "high"), 128)
    # one of this root without knowledge may be worse off in the trunk, and have a child of its own
    assert 2 * 128 <= samples["system"]["digits"] + samples["system"]["low"] <= 4 * 128
    assert samples["system"]["high"] == 128
    one = result["methods"]["fine_tuning"]["parameters_per_task"]
    assert result["methods"]["head_only"]["parameters_per_task"] < one
    assert set(result["methods"]["system"]["test_accuracy"]) == {"digits", "low", "high"}


def test_the_proof_compares_all_logits_of_the_earlier_tasks(finished: tuple[Path, dict[str, Any], Watcher]):
    folder, result, _ = finished
    proof = result["proof"]
    assert proof["unchanged"]
    assert proof["tasks"] == ["digits", "low"]
    assert proof["logits"] == proof["images"] * (10 + 5)
    assert proof["sha256_before"] == proof["sha256_after"]
    before = json.loads((folder / FILE).read_text())["before"]
    assert before["sha256"] == proof["sha256_before"]


def test_the_same_command_shows_a_finished_result_again_without_work(
    finished: tuple[Path, dict[str, Any], Watcher], monkeypatch: pytest.MonkeyPatch
):
    folder, result, _ = finished
    monkeypatch.setattr("munet.evolution.start.evolve", None)  # a call would fail
    files = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    watcher = Watcher()
    assert start(folder, watcher) == result
    assert run(folder, setup=TINY, say=watcher.said.append, watch=watcher.watch) == result  # options left out
    assert not watcher.said
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()} == files
    (folder / "network.png").unlink()
    start(folder, watcher)
    assert (folder / "network.png").is_file()


def test_other_options_in_the_same_directory_are_refused(finished: tuple[Path, dict[str, Any], Watcher]):
    with pytest.raises(InputError, match="holds a quickstart with seed 0: ask for that, or give another directory"):
        start(finished[0], Watcher(), seed=1)


def test_the_view_holds_table_proof_and_time(
    finished: tuple[Path, dict[str, Any], Watcher], capsys: pytest.CaptureFixture[str]
):
    from munet.cli.common import show

    _, result, _ = finished
    show(*result_view(result))
    out = capsys.readouterr().out
    assert "high (added later)" in out
    assert "parameters per task" in out
    assert "bitwise the same" in out
    assert "Measured: " in out
    assert f"munet status {result['directory']}/system" in out
    broken = {**result, "proof": {**result["proof"], "unchanged": False}}
    show(*result_view(broken))
    assert "NOT THE SAME" in capsys.readouterr().out


def test_after_interruptions_the_same_command_ends_with_the_same_models(
    tmp_path: Path, finished: tuple[Path, dict[str, Any], Watcher]
):
    folder, sessions, made = tmp_path / "q", 0, 0
    while True:
        sessions += 1
        watcher = Watcher(stop_after=4)
        try:
            result = start(folder, watcher)
            break
        except KeyboardInterrupt:
            made += len(watcher.children)
            assert not json.loads((folder / FILE).read_text())["result"]
    own = list(model_history.children(munet.System.open(folder / "system").store))
    children = sum("together" not in child for child in own) + 3 * 3  # and a child of each task by each baseline
    assert sessions == children // 4 + 1
    assert made + len(watcher.children) == children  # no child was trained twice
    assert result["sessions"] == sessions
    assert result["methods"] == finished[1]["methods"]
    assert result["proof"] == finished[1]["proof"]


def test_a_directory_with_something_else_in_it_is_refused(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty and holds no quickstart"):
        start(tmp_path, Watcher())
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used as a directory"):
        start(tmp_path / "file", Watcher())


def test_a_journal_of_another_version_is_refused(tmp_path: Path):
    (tmp_path / FILE).write_text('{"format": 99}')
    with pytest.raises(StoreError, match="another version"):
        start(tmp_path, Watcher())
    (tmp_path / FILE).write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        start(tmp_path, Watcher())


def test_without_scikit_learn_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'munet-ml\[quickstart\]'"):
        start(tmp_path / "new", Watcher(), setup=Setup())
    assert not (tmp_path / "new").exists()


def test_the_digits_are_all_there_once_in_fixed_splits(tmp_path: Path):
    from sklearn.datasets import load_digits

    data.write_digits(tmp_path / "a.npz")
    data.write_digits(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as archive:
        sizes = {split: len(archive[f"{split}_label"]) for split in ("train", "validation", "test")}
        images = np.concatenate([archive[f"{split}_image"] for split in sizes])
        labels = np.concatenate([archive[f"{split}_label"] for split in sizes])
        assert archive["classes"].tolist() == list("0123456789")
    assert sizes == {"train": 1147, "validation": 250, "test": 400}
    assert images.dtype == np.uint8
    assert images.max() == 255
    assert np.bincount(labels).tolist() == np.bincount(load_digits().target).tolist()  # pyright: ignore[reportAttributeAccessIssue]
