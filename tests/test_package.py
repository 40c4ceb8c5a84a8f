"""The package itself: its public names, and the systems it runs on."""

import subprocess
import sys
from importlib import import_module

import pytest

import munet


def test_dir_shows_public_names_only() -> None:
    assert dir(munet) == sorted(set(munet.__all__) - {"__version__"})
    import_module("munet.cli")  # submodules that were imported do not join

    assert dir(munet) == sorted(set(munet.__all__) - {"__version__"})


@pytest.mark.parametrize(
    "name", ["munet.analysis", "munet.tasks", "munet.training", "munet.allocation", "munet.importing"]
)
def test_lazy_packages_give_all_that_they_list(name: str) -> None:
    package = import_module(name)
    assert sorted(dir(package)) == sorted(package.__all__)
    for public in package.__all__:
        assert getattr(package, public) is not None
    with pytest.raises(AttributeError):
        package.nothing_of_that_name  # noqa: B018


def test_elsewhere_one_line_says_where_munet_runs() -> None:
    code = "import os\nos.name = 'nt'\ntry:\n    import munet\nexcept ImportError as error:\n    print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "munet runs on Linux and macOS: its files are locked as only those can (on Windows use WSL)\n"


def test_it_runs_as_a_module() -> None:
    ran = subprocess.run([sys.executable, "-m", "munet", "--help"], capture_output=True, text=True, check=True)
    assert "Usage: munet" in ran.stdout
