"""The model card: true figures, every task, nothing private unasked, no Markdown that a name could break."""

from pathlib import Path

import pytest

import munet
from cli_tools import munet as command
from golden_ids import images
from growing import evolve
from munet.analysis.card import card, wilson
from munet.errors import InputError


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    folder = tmp_path_factory.mktemp("card")
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    for name, classes in (("three", 3), ("secret", 4), ("waiting", 3)):
        images(folder / name, classes)
        system.add_task(name, f"npz:{folder / name}", private=name == "secret")
    evolve(system, ["three", "secret"], method="head-only", threads=1, executor="local")
    return system


def accuracy_of(system: munet.System) -> float:
    test = system.task("three")["test"]
    assert test is not None
    return test["accuracy"]


@pytest.mark.parametrize(
    ("correct", "examples", "low", "high"),
    [(80, 100, 0.7112, 0.8666), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_of_wilson(correct: int, examples: int, low: float, high: float) -> None:
    assert wilson(correct, examples) == pytest.approx((low, high), abs=1e-4)


def test_the_card_holds_what_the_records_say(system: munet.System) -> None:
    text = card(system.store)
    accuracy = accuracy_of(system)
    low, high = wilson(round(24 * accuracy), 24)
    assert f"{100 * accuracy:.1f} [{100 * low:.1f}, {100 * high:.1f}]" in text
    assert str(system.task("three")["model"])[:10] in text
    assert "train 60, validation 24" in text or "test 24, train 60" in text
    assert "random:vit_tiny_patch16_224" in text
    assert "Nothing is trained" in text
    assert text.startswith("---\nlibrary_name: munet\n")


def test_private_tasks_are_on_it_only_when_named(system: munet.System) -> None:
    assert "secret" not in card(system.store)
    assert "## secret" in card(system.store, ["secret"])


def test_what_has_no_model_is_refused(system: munet.System) -> None:
    with pytest.raises(InputError, match="'waiting' has no model yet"):
        card(system.store, ["waiting"])
    with pytest.raises(InputError, match="has no task 'there'"):
        card(system.store, ["there"])


def test_the_command_writes_it_with_the_errors(system: munet.System, tmp_path: Path) -> None:
    done = command("card", str(system.path), "--errors", "--write", str(tmp_path / "README.md"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "README.md").read_text()
    wrong = accuracy_of(system) < 1
    assert ("Most frequent errors" in text) == wrong
