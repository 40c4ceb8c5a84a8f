"""docs/analysis.md names every column with its type, and its examples run."""

import re
import shutil
from pathlib import Path

import pytest

import munet
from munet.analysis import columns as c
from munet.analysis import history as history_of
from munet.analysis.child_fields import CHILDREN
from repo import DOCS

PAGE = DOCS / "analysis.md"
TYPES = {"text": c.TEXT, "any": c.ANY, "whole": c.WHOLE, "number": c.NUMBER, "flag": c.FLAG}
TABLES = ("tasks", "children", "cycles", "mutations", "models", "layers", "probabilities", "iterations", "runs")


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_every_column(name: str):
    section = PAGE.read_text().split(f"\n### {name}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE)
    assert {column: TYPES[kind] for column, kind in rows} == dict(
        CHILDREN if name == "children" else getattr(c, name.upper())
    )
    assert len(rows) == len(dict(rows))


def test_the_functions_it_names_are_there():
    import importlib

    names = set(re.findall(r"`(\w+)\.(\w+)\((?:history|)", PAGE.read_text())) - {("munet", "evolve")}
    assert len(names) > 20
    for module, name in names:
        assert callable(getattr(importlib.import_module(f"munet.analysis.{module}"), name))


def test_its_examples_run(
    trained: munet.System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for place in ("fleet", "runs/munet/0/system", "runs/munet/1/system"):
        shutil.copytree(trained.path, tmp_path / place)
    monkeypatch.chdir(tmp_path)
    first, second, third = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(first, names)
    exec(second, names)
    assert history_of("fleet").systems == ["fleet"]
    names["history"] = munet.System.open("fleet").history()
    exec(third.replace('"digits"', '"shapes"'), names)
    assert "shapes" in capsys.readouterr().out
