"""Sequences of segments on one growing system, on two benchmarks of one tiny task each."""

from pathlib import Path

import pytest

from munet.analysis.model_history import iterations
from munet.catalog import Benchmark, load_benchmark
from munet.errors import InputError
from munet.evolution.options import Where
from munet.experiments import sequences
from munet.experiments.growing import folder, grow
from munet.experiments.sequences import load_sequence, segment_runs, sequence_names
from munet.system import System

CPU = Where(device="cpu", precision="fp32", threads=1, executor="local")
TEXT = """
[[segment]]
name = "first on A"
benchmarks = ["a"]
method = "mu2net-characters+samples=256+children=1+cycles=2"
until_gain_below = 2.0
at_most = 4

[[segment]]
name = "plus on A"
benchmarks = ["a"]
method = "mu2net-plus+samples=256+scale=0.9+children=1+cycles=2"
references = 10
task_iterations = 2

[[segment]]
name = "plus on A+B"
benchmarks = ["a", "b"]
method = "mu2net-plus+samples=256+children=1+cycles=2"
"""


@pytest.fixture
def data(tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two benchmarks, a and b, and the folder of their images."""
    forms = load_benchmark("omniglot-forms")
    made = {
        name: Benchmark(**{**vars(forms), "name": name, "tasks": (task,)})
        for name, task in zip("ab", forms.tasks, strict=True)
    }
    monkeypatch.setattr(sequences, "load_benchmark", made.__getitem__)
    images = tmp_path / "data"
    images.mkdir()
    for task in forms.tasks:
        (images / task.addresses["npz"].rpartition("/")[2]).symlink_to(tiny_npz)
    return images


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "toy.toml"
    path.write_text(TEXT)
    return path


def test_a_system_grows_through_its_segments(tmp_path: Path, data: Path, file: Path):
    sequence, begun = load_sequence(str(file)), []
    result = grow(sequence, tmp_path / "out", 0, data, CPU, begin=lambda one: begun.append(one))
    # No gain is as large as 2, so the first segment ends as soon as two task iterations can be compared.
    assert [(turn.segment.name, turn.number) for turn in begun] == [
        ("first on A", 0),
        ("first on A", 1),
        ("plus on A", 0),
        ("plus on A", 1),
        ("plus on A+B", 0),
    ]
    system = System.open(folder(tmp_path / "out", sequence, 0) / "system")
    assert system.store.runs() == ["0001", "0002", "0003", "0004", "0005"]
    assert [entry["segment"] for entry in result["history"]] == [
        *["first on A"] * 2,
        *["plus on A"] * 2,
        *["plus on A+B"] * 2,
    ]
    assert [entry["tasks"] for entry in result["history"]] == [1, 1, 1, 1, 1, 2]

    # P and F stay, over a segment, ten times what the averages were when it began.
    ended = iterations(system.store)
    requests = [system.store.read_run(run, "run.json")["request"]["method"] for run in system.store.runs()]
    before = ended[1]["system"]
    assert before["parameters_per_task"] is not None
    assert before["flops_per_task"] is not None
    for request in requests[2:4]:
        assert request["parameters_reference"] == pytest.approx(10 * before["parameters_per_task"])
        assert request["flops_reference"] == pytest.approx(10 * before["flops_per_task"])
        assert request["scale"] == 0.9
    assert requests[4]["parameters_reference"] == "root"
    assert all(request["task_iterations"] == 1 for request in requests)


def test_it_goes_on_where_it_stopped(tmp_path: Path, data: Path, file: Path):
    sequence, begun = load_sequence(str(file)), []

    class Stop(Exception):
        pass

    def stop_at_the_third(turn):
        begun.append(turn.number)
        if len(begun) == 3:
            raise Stop

    with pytest.raises(Stop):
        grow(sequence, tmp_path / "out", 0, data, CPU, begin=stop_at_the_third)
    system = System.open(folder(tmp_path / "out", sequence, 0) / "system")
    assert len(system.store.runs()) == 2
    assert len(list(_known(sequence, system))) == 3
    rest = []
    again = grow(sequence, tmp_path / "out", 0, data, CPU, begin=lambda one: rest.append(one))
    assert len(rest) == 3
    assert grow(sequence, tmp_path / "out", 0, data, CPU, begin=lambda one: pytest.fail("all is done")) == again


def _known(sequence, system):
    for one in segment_runs(sequence, system):
        yield one
        if one.run is None:
            return


@pytest.mark.parametrize("name", sequence_names())
def test_what_ships_can_be_read(name: str):
    sequence = load_sequence(name)
    assert len(sequence.segments) == 4
    names = [task.name for task in sequence.benchmark().tasks]
    assert len(names) == len(set(names))


def test_the_papers_sequence_has_all_124_tasks():
    sequence = load_sequence("mu2net-plus-section-5")
    assert [len(segment.tasks()) for segment in sequence.segments] == [69, 69, 55, 124]
    plus = sequence.segments[1].spec.method()
    assert (plus.parameters_reference, plus.flops_reference, plus.scale) == (2.2e9, 3.8e12, 0.99)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no [[segment]]"),
        ("[[segment]\n", "is not valid TOML"),
        ('[[segment]]\nname = "x"\nmethod = "munet"\n', "segment x: 'benchmarks' is missing"),
        ('[[segment]]\nbenchmarks = ["mccb-local"]\n', "segment 1: 'method' is missing"),
        ('[[segment]]\nbenchmarks = ["mccb-locale"]\nmethod = "munet"\n', "did you mean 'mccb-local'"),
        ('[[segment]]\nbenchmarks = ["mccb-local"]\nmethod = "munnet"\n', "did you mean 'munet'"),
        ('[[segment]]\nbenchmarks = ["mccb-local"]\nmethod = "munet"\ntask_iterations = 0\n', "task_iterations is 0"),
        (
            '[[segment]]\nbenchmarks = ["mccb-local"]\nmethod = "munet"\ntask_iteration = 2\n',
            "did you mean 'task_iterations'",
        ),
        ('[[segment]]\nbenchmarks = ["mccb-local"]\nmethod = "munet"\nbudget = "minni"\n', "did you mean 'mini'"),
    ],
)
def test_a_file_that_cannot_be(tmp_path: Path, text: str, said: str):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_sequence(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_and_files_that_are_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="did you mean 'continual-local'"):
        load_sequence("continual-lokal")
    with pytest.raises(InputError, match="cannot read sequence"):
        load_sequence(str(tmp_path / "none.toml"))
