"""The scripts that are checked in are those that web/ builds, and their types describe the payload that is made."""

import re
import shutil
import subprocess
from typing import Any

import pytest

from repo import REPO

WEB = REPO / "web"
INTERFACE = re.compile(r"^interface (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


def test_the_bundles_are_what_the_sources_build():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here, so the scripts of the page cannot be built")
    if not (WEB / "node_modules" / "esbuild").is_dir():
        pytest.skip("web/node_modules is not installed; `make web` does that")
    done = subprocess.run([node, "build.js", "--check"], cwd=WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def keys_of(name: str) -> set[str]:
    """Keys of an interface in types.d.ts."""
    body = dict(INTERFACE.findall((WEB / "page" / "types.d.ts").read_text("utf-8")))[name]
    return set(re.findall(r"^  (\w+): ", body, re.MULTILINE))


def test_the_types_of_the_scripts_are_those_of_the_payload(made: dict[str, Any]):
    assert keys_of("Payload") == set(made)
    assert keys_of("Children") == set(made["children"])
    assert keys_of("Totals") <= set(made["totals"])
    rows = {
        **{"Task": made["tasks"], "Run": made["runs"], "TaskIteration": made["progress"]},
        **{"LearningCurve": made["learning"], "Ancestor": made["lineages"][0]},
        **{"Distribution": made["settings"]["distributions"], "Schedule": made["settings"]["schedules"]},
        **{"Alternative": next(filter(None, made["ways"]))},
        **{"ByDepth": made["probabilities"]["by_depth"], "Histogram": made["probabilities"]["histograms"]},
    }
    for name, values in rows.items():
        assert values, name
        assert keys_of(name) <= set(values[0]), name
