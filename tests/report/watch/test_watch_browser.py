"""The page in a browser: a child appears without a reload, and again after a restart of the server."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import munet
from munet.report.page import build_page, payload
from watch_tools import CHILDREN, Evolving, fake_system, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
LIVE = "document.querySelector('#munet-live .munet-live-link').textContent"
COUNT = "window.munet.state.data.count"


def until(page: "Page", condition: str, seconds: float = 120) -> None:
    """Waits for a condition. Playwright's own way evaluates text inside the page, which its policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"{condition}; the page says {page.inner_text('#munet-live')!r}"
        page.wait_for_timeout(100)


@pytest.mark.timeout(300)
def test_children_appear_without_a_reload(system: munet.System, evolving: Evolving, browser: "Browser"):
    def make() -> dict[str, object]:
        return payload(munet.System.open(system.path).history())

    def page_of(made: dict[str, object]) -> str:
        return build_page(made, live=True)

    told = "run 0001: 25 % done in 1 s; a (task 1/1), task iteration 1/1"
    options = {"make_page": page_of, "pause": 0.2, "token": "a-long-token", "tell_progress": lambda: told}
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)  # the machine may be busy
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    with serving(system.path, make, **options) as running:
        port = running.port
        page.goto(running.full_url)
        page.evaluate("window.stays = true")
        until(page, f"{LIVE} === 'Live: no evolution has begun yet'")
        assert page.url == running.url, "the token is not left in the address"
        run = evolving(system.path)
        until(page, f"{COUNT} > 0 && {LIVE} === 'Live: {told}'")
        run.go_on.set()
        until(page, f"{COUNT} === {CHILDREN} && {LIVE} === 'Live: run 0001 has finished'")
        run.process.join(60)
        assert run.process.exitcode == 0
        assert "nothing new for" in page.inner_text("#munet-live")
        assert page.evaluate("window.stays"), "the page was not loaded again"
        assert errors == []
    until(page, f"{LIVE}.startsWith('Not live')")
    with serving(system.path, make, port=port, **options):
        evolving(system.path, 1).go_on.set()
        until(page, f"{COUNT} === {2 * CHILDREN} && {LIVE} === 'Live: run 0002 has finished'")
        assert page.evaluate("window.stays")
    assert not [error for error in errors if "ERR_CONNECTION_REFUSED" not in error and "ERR_INCOMPLETE" not in error]
    page.close()


def test_a_page_before_there_is_anything_to_show(tmp_path: Path, browser: "Browser"):
    expect = pytest.importorskip("playwright.sync_api").expect
    broken = True

    def make() -> dict[str, object]:
        if broken:
            raise ValueError("half a record")
        return {"children": 0}

    with serving(fake_system(tmp_path / "fleet"), make, pause=0.2) as running:
        page = browser.new_page()
        page.goto(running.url)
        until(page, "document.querySelector('.munet-live-note').textContent.includes('half a record')")
        broken = False
        expect(page).not_to_have_title("munet watch", timeout=120_000)  # survives that the page is loaded again
        page.close()
