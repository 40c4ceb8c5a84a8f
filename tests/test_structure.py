"""The size of the house: how many rooms, how large, and that docs/design.md shows them as they are."""

import ast
import re
import runpy
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from repo import DOCS, REPO, SOURCES

MUNET = SOURCES / "munet"
MODULES = sorted(MUNET.rglob("*.py"))


def test_few_modules_lie_loose_at_the_top() -> None:
    loose = [path.name for path in MUNET.glob("*.py") if path.name != "__init__.py"]
    assert len(loose) <= 8, loose


def test_files_are_small() -> None:
    lines = {str(path.relative_to(MUNET)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 350} == {}
    assert 90 <= median(lines.values()) <= 160


def test_no_file_name_is_everywhere() -> None:
    names = Counter(path.name for path in MODULES if path.name != "__init__.py")
    assert [name for name, count in names.items() if count >= 5] == []


def test_the_design_page_shows_the_tree_as_it_is() -> None:
    page = (DOCS / "design.md").read_text(encoding="utf-8")
    renewed = runpy.run_path(str(REPO / "tools" / "tree.py"))["renewed"]
    assert page == renewed(page, MUNET), "`make tree` writes the tree again"


def test_a_tree_has_a_line_for_each_file_with_the_first_sentence_of_its_docstring(tmp_path: Path) -> None:
    tree = runpy.run_path(str(REPO / "tools" / "tree.py"))["tree"]
    (tmp_path / "made" / "inner").mkdir(parents=True)
    (tmp_path / "made" / "__init__.py").write_text('"""A package. More of it."""\n')
    (tmp_path / "made" / "inner" / "__init__.py").write_text('"""Within."""\n')
    (tmp_path / "made" / "inner" / "one.py").write_text('"""What one does\n(Made et al. 2022, sec. 3). How."""\n')
    (tmp_path / "made" / "data").mkdir()
    assert [line.split(maxsplit=1) for line in tree(tmp_path / "made").splitlines()[1:-1]] == [
        ["made/", "A package"],
        ["inner/", "Within"],
        ["one.py", "What one does (Made et al. 2022, sec. 3)"],
    ]


@pytest.mark.parametrize("folder", sorted(path.parent for path in MODULES if path.name == "__init__.py"))
def test_the_docstring_of_a_package_names_each_of_its_files_and_no_others(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    held = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    named = set(re.findall(r"(?<![\w/])\w+\.py\b", text))
    if folder != MUNET:
        assert held - named == set(), f"{folder.relative_to(MUNET)}/__init__.py does not say what these are"
        assert named - held == set(), f"{folder.relative_to(MUNET)}/__init__.py names files that are gone"


def test_the_files_that_pages_name_are_there() -> None:
    """Also `trainer.py` alone, which any folder may hold. The lab log names what was there at the time."""
    held = [path.as_posix() for part in ("src", "tests", "benchmarks", "tools") for path in (REPO / part).rglob("*.py")]
    pages = [path for path in [*DOCS.glob("*.md"), REPO / "README.md"] if path.name != "lab-log.md"]
    named = {
        (page.name, name) for page in pages for name in re.findall(r"(?:[\w-]+/)*\w+\.py\b", page.read_text("utf-8"))
    }
    assert len(named) > 50
    assert [pair for pair in sorted(named) if not any(path.endswith(f"/{pair[1]}") for path in held)] == []
