"""The page on A4: nothing is wider than the paper, nothing lies over anything, and the window is as before after it."""

from typing import Any

import pytest

from analysis_tools import big_system
from munet.report.page import payload
from page_browser import SIZES, Opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAPER = (700, 1032)  # of A4 at 96 pixels an inch, without its margins

# What reaches over the right edge of the paper; what is cut by a parent that hides it would be lost there, too.
_TOO_WIDE = """
[...document.querySelectorAll("main *")].filter((node) => node.checkVisibility() && !node.closest(".unseen"))
  .filter((node) => node.getBoundingClientRect().right > 700.5 || (node.scrollWidth > node.clientWidth + 2 &&
    ["auto", "scroll", "hidden"].includes(getComputedStyle(node).overflowX) && node.clientWidth))
  .map((node) => `${node.closest("section, article")?.id}: ${node.tagName} ${node.getAttribute("class")}`)
"""
_OVER_EACH_OTHER = """
(() => {
  const blocks = [...document.querySelectorAll("main :is(h1, h2, h3, p.how, canvas, figure, ul.legend, table, dl)")]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height > 2);
  const boxes = blocks.map((node) => node.getBoundingClientRect());
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  return blocks.flatMap((one, n) => blocks.slice(n + 1).flatMap((other, m) =>
    !one.contains(other) && over(boxes[n], boxes[n + 1 + m]) ? [`${one.textContent} / ${other.textContent}`] : []));
})()
"""
_WIDTHS = "[...document.querySelectorAll('main :is(canvas, svg[role])')].map((node) => node.clientWidth)"


def on_paper(shown: Opened) -> None:
    shown.everything()
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown.page.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
    shown.page.emulate_media(media="print")
    shown.page.wait_for_timeout(200)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_paper_or_over_anything(show, made: dict[str, Any], size: str):
    for number, task in enumerate(made["tasks"]):
        task["name"] = f"cmaterdb_devanagari_{number}"
    shown = show(made, size)
    on_paper(shown)
    assert shown.page.evaluate(_TOO_WIDE) == []
    assert shown.page.evaluate(_OVER_EACH_OTHER) == []
    assert shown.touching() == []
    assert shown.complaints == []


def test_one_task_and_124(show, large: dict[str, Any], tmp_path):
    one = payload(big_system(tmp_path / "one", tasks=1, children=1, blocks=2).history())
    for system in (one, large):
        shown = show(system)
        on_paper(shown)
        assert shown.page.evaluate(_TOO_WIDE) == []
        assert shown.page.evaluate(_OVER_EACH_OTHER) == []
    assert not shown.page.locator(".more button").first.is_visible(), "paper cannot be pressed"
    assert shown.page.locator(".more").first.inner_text().endswith("more, which the page shows on a screen")


def test_all_is_drawn_for_paper_before_it_is_printed_and_for_the_window_after_it(show, made: dict[str, Any]):
    shown = show(made)
    shown.everything()
    before = shown.page.evaluate(_WIDTHS)
    assert max(before) > PAPER[0]
    shown.page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {_WIDTHS} }})")
    assert shown.page.pdf(format="A4").startswith(b"%PDF")
    printed = shown.page.evaluate("window.printed")
    assert len(printed) == len(before)
    assert 0 < max(printed) <= PAPER[0]
    shown.until(f"JSON.stringify({_WIDTHS}) === JSON.stringify({before})")
    drawn = "[...document.querySelectorAll('main figure svg')].map((svg) => +svg.getAttribute('viewBox').split(' ')[2])"
    assert max(shown.page.evaluate(drawn)) > PAPER[0], "charts are drawn for the window again"
