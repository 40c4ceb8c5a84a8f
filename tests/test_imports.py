"""No import circle, and no import against the order of the layers that docs/design.md prints."""

from pathlib import Path

import pytest

from import_arrows import arrows, circle, layers_of, upward
from repo import DOCS, SOURCES

TABLE = "| layer | parts |\n|---|---|\n| 1 | `made` |\n| 2 | `high` |\n| 3 | `low`, `beside` |\n"


def package(folder: Path, **modules: str) -> Path:
    """A package `made`; `high__a="..."` writes high/a.py, `low__stub` writes low/__init__.pyi."""
    top = folder / "made"
    for name, text in {"high__a": "", "low__b": "", "beside__c": "", **modules}.items():
        part, _, module = name.partition("__")
        (top / part).mkdir(parents=True, exist_ok=True)
        for parent in (top, top / part):
            (parent / "__init__.py").touch()
        (top / part / ("__init__.pyi" if module == "stub" else f"{module}.py")).write_text(text)
    return top


def test_no_file_imports_itself_through_others() -> None:
    assert circle(arrows(SOURCES / "munet")) == []


def test_imports_go_down_the_layers_of_the_design_page() -> None:
    found = arrows(SOURCES / "munet")
    layers = layers_of((DOCS / "design.md").read_text(encoding="utf-8"))
    parts = {name.split(".")[1] if "." in name else name for name in found}
    assert parts == set(layers), "the table of layers in docs/design.md names every part of munet, and no other"
    assert upward(found, layers) == []


@pytest.mark.parametrize(
    "text",
    [
        "from made.high.a import x",
        "import made.high.a",
        "from ..high import a",
        "def f():\n    from made.high import a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made.high.a import X",
        "try:\n    import made.high.a as a\nexcept ImportError:\n    a = None",
    ],
)
def test_a_circle_and_an_upward_import_are_seen_however_they_are_written(tmp_path: Path, text: str) -> None:
    made = arrows(package(tmp_path, high__a="from made.low import b", low__b=text))
    assert set(circle(made)) == {"made.high.a", "made.low.b"}
    assert upward(made, layers_of(TABLE)) == ["made.low.b -> made.high.a"]


def test_what_a_stub_promises_counts_as_an_import(tmp_path: Path) -> None:
    made = arrows(package(tmp_path, low__stub="from ..high.a import x"))
    assert circle(made) == []
    assert upward(made, layers_of(TABLE)) == ["made.low -> made.high.a"]


def test_parts_of_one_layer_do_not_import_each_other(tmp_path: Path) -> None:
    made = arrows(package(tmp_path, low__b="import made.beside.c"))
    assert upward(made, layers_of(TABLE)) == ["made.low.b -> made.beside.c"]


def test_what_goes_down_is_no_fault(tmp_path: Path) -> None:
    made = arrows(package(tmp_path, high__a="from made.low.b import x\nimport made.beside.c", low__d="from . import b"))
    assert made["made.low.d"] == {"made.low.b"}
    assert (circle(made), upward(made, layers_of(TABLE))) == ([], [])
