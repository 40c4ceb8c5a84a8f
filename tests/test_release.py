"""What a release says of itself, in several places, is the same everywhere."""

import tomllib

from munet.provenance import VERSION
from repo import REPO, SOURCES


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    assert f"\nversion: {VERSION}\n" in (REPO / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {VERSION}" in (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "Typing :: Typed" in project["classifiers"]
    assert (SOURCES / "munet" / "py.typed").is_file()
