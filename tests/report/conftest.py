"""A browser, one for all tests of pages."""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium without a window: $MUNET_CHROMIUM, one on the path, or the one that Playwright has downloaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("MUNET_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as running:
        if found is None and not os.path.exists(running.chromium.executable_path):
            pytest.skip("no chromium here; MUNET_CHROMIUM names one, `playwright install chromium` gets one")
        started = running.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()
