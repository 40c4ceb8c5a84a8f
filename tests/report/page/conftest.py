"""Made-up systems, their payloads, and a browser."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import munet
from analysis_tools import big_system
from munet.report.page import build_page, payload, write_page
from page_browser import Opened, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def eight(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Eight tasks with 256 children. Only read it."""
    return big_system(tmp_path_factory.mktemp("page") / "eight", tasks=8, children=256, blocks=3)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """124 tasks with 2,500 children on a root of 28 blocks. Only read it."""
    return big_system(tmp_path_factory.mktemp("page") / "many", tasks=124, children=2500, blocks=28)


@pytest.fixture(scope="session")
def _eight_payload(eight: munet.System) -> dict[str, Any]:
    return payload(eight.history())


@pytest.fixture
def made(_eight_payload: dict[str, Any]) -> dict[str, Any]:
    """The payload of `eight`, to be changed at will."""
    return deepcopy(_eight_payload)


@pytest.fixture
def copied(eight: munet.System, tmp_path: Path) -> munet.System:
    """A copy of `eight` that may be damaged."""
    shutil.copytree(eight.path, tmp_path / "eight")
    return munet.System.open(tmp_path / "eight")


@pytest.fixture
def show(browser: "Browser", tmp_path: Path):
    """Opens the page of a payload: `show(made, size)`."""
    pages: list[Opened] = []

    def go(made: dict[str, Any], size: str = "desktop", theme: str = "light") -> Opened:
        file = write_page(build_page(made), tmp_path / f"{len(pages)}.html")
        pages.append(opened(browser, file, size, theme))  # pyright: ignore[reportArgumentType]
        return pages[-1]

    yield go
    for one in pages:
        one.page.context.close()


@pytest.fixture(scope="session")
def large(many: munet.System) -> dict[str, Any]:
    return payload(many.history())
