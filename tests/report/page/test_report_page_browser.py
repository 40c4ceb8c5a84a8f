"""The page in a browser, at the size of a desk and of a phone: no complaints, no labels over each other, it works."""

import os
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from munet.report.page import payload
from page_browser import SIZES, overlaps, scan

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NASTY = "<img src=x onerror=alert(1)>"
STATE = "window.munet.state"
SECTIONS = (
    *("summary", "network", "tasks", "images", "sharing", "flow", "kept", "ways", "progress"),
    *("learning", "settings", "mutations", "rejected", "costs", "about"),
)


# Words of the titles of small charts that stand on two lines.
BROKEN_WORDS = """
[...document.querySelectorAll("#mutations figcaption h3")].flatMap((title) => {
  const text = title.firstChild, range = document.createRange();
  return [...text.data.matchAll(/\\S+/g)].filter(({ 0: word, index }) => {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return range.getClientRects().length > 1;
  }).map(([word]) => word);
})
"""
CUT_VALUES = """
[...document.querySelectorAll(".bars .value")].filter((value) => value.scrollWidth > value.clientWidth + 0.5)
  .map((value) => value.textContent)
"""


def test_overlaps_are_found():
    flat = [[0, 0], [10, 0], [10, 10], [0, 10]]
    askew = [[9, 9], [16, 16], [12, 20], [5, 13]]
    assert overlaps([("a", flat), ("b", [[x + 11, y] for x, y in flat])]) == []  # pyright: ignore[reportArgumentType]
    assert overlaps([("a", flat), ("b", [[x + 5, y + 5] for x, y in flat])]) == [("a", "b")]  # pyright: ignore[reportArgumentType]
    assert overlaps([("a", flat), ("b", askew)]) == []  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_complaints_and_no_labels_over_each_other(show, made: dict[str, Any], size: str, theme: str):
    shown = show(made, size, theme)
    shown.everything()
    assert shown.complaints == []
    assert len(shown.page.evaluate("window.canvasTexts()")) >= 5, "texts on canvases are seen"
    assert shown.touching() == []
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it is no wider than the window"
    assert shown.page.evaluate("document.documentElement.dataset.theme") == theme
    assert all(shown.page.evaluate("[...document.querySelectorAll('[data-body]')].map(n => n.childElementCount > 0)"))


@pytest.mark.parametrize("size", SIZES)
def test_124_tasks(show, large: dict[str, Any], size: str):
    shown = show(large, size)
    shown.everything()
    assert shown.touching() == []
    drawn = shown.page.locator("#flow figure svg").first.locator("path[fill=none]").count()
    assert f"strongest teacher is drawn: {drawn} of " in shown.page.inner_text("#flow")
    layers = f"{STATE}.growth.layers(0)"
    shown.page.evaluate(
        f"window.munet.choose({{kind: 'layer', layer: {layers}.find((l) => {STATE}.growth.users(l).length > 3)}})"
    )
    assert len(shown.page.query_selector_all(".card li")) > 3
    shown.page.wait_for_timeout(200)
    assert shown.touching() == []
    shown.page.fill("input[type=search]", "task-07")
    assert shown.page.evaluate("document.querySelectorAll('.legend button').length") == 10
    shown.page.press("input[type=search]", "Enter")
    assert shown.page.inner_text(".card h3").startswith("task-07")
    for _ in range(6):
        shown.page.click("text=+")
    shown.page.wait_for_timeout(300)
    assert shown.touching() == []
    assert shown.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_values_beside_bars_and_words_of_titles_are_whole(show, made: dict[str, Any], size: str):
    shown = show(made, size)
    shown.everything()
    assert shown.page.evaluate(CUT_VALUES) == []
    assert shown.page.evaluate(BROKEN_WORDS) == []


def test_every_line_of_what_is_kept_has_its_name(show, made: dict[str, Any]):
    for task in made["tasks"]:
        task["test_accuracy"] = 0.9
    for row in made["progress"]:
        row["test_accuracy"] = 0.9
    shown = show(made)
    shown.everything()
    texts = shown.page.locator("#kept svg text").all_text_contents()
    assert {task["name"] for task in made["tasks"]} <= set(texts)
    assert shown.touching() == []


def test_one_task_iteration_has_no_second(show, made: dict[str, Any]):
    made["progress"] = made["progress"][:1]
    shown = show(made)
    shown.everything()
    texts = shown.page.locator("#kept svg text").all_text_contents()
    assert "1" in texts
    assert "2" not in texts


def test_every_section_has_a_line_that_says_how_to_read_it(show, made: dict[str, Any]):
    page = show(made).page
    assert tuple(page.evaluate("[...document.querySelectorAll('main > section')].map(node => node.id)")) == SECTIONS
    lines = page.evaluate("[...document.querySelectorAll('main > section > p.how')].map(node => node.textContent)")
    assert len(lines) == len(SECTIONS) - 1, "all but the summary"
    assert all(line.endswith(".") for line in lines)
    contents = page.evaluate("[...document.querySelectorAll('#contents a')].map(link => link.getAttribute('href'))")
    assert contents == [f"#{name}" for name in SECTIONS[1:]]


def test_the_slider_moves_the_network_and_plays(show, made: dict[str, Any]):
    shown = show(made)
    page, last = shown.page, len(made["children"]["task"]) - 1
    assert page.evaluate(f"{STATE}.step") == last
    page.focus("#step")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(f"{STATE}.step") == last - 1
    page.keyboard.press("Home")
    assert page.evaluate(f"{STATE}.step") == 0
    first = made["tasks"][made["children"]["task"][0]]["name"]
    assert f"Child 1 of {last + 1}: {first}, from the root" in (page.get_attribute("#step", "aria-valuetext") or "")
    assert page.evaluate(f"[...{STATE}.growth.paths].filter(p => p >= 0).length") <= 1
    page.keyboard.press(" ")
    shown.until(f"{STATE}.step > 3")
    page.click(".play")
    stopped = page.evaluate(f"{STATE}.step")
    page.wait_for_timeout(400)
    assert page.evaluate(f"{STATE}.step") == stopped
    page.keyboard.press("End") if page.evaluate("document.activeElement.id") == "step" else page.click("text=»")
    assert page.evaluate(f"[...{STATE}.growth.paths].every(p => p >= 0)")
    assert shown.complaints == []


def test_pointing_tells_and_choosing_stays(show, made: dict[str, Any]):
    shown = show(made)
    page = shown.page
    page.evaluate("document.querySelector('canvas.network').scrollIntoView({block: 'center', behavior: 'instant'})")
    place = scan(shown, "canvas.network", "trained by")
    assert place is not None, "a layer says who trained it"
    assert "parameters" in page.inner_text("#tip")
    page.mouse.click(*place)
    assert "Used by" in page.inner_text(".card")
    page.mouse.move(5, 5)
    assert page.is_hidden("#tip")
    assert page.is_visible(".card")
    page.click(".card .link")
    assert "Lineage" in page.inner_text(".card")
    page.keyboard.press("Escape")
    assert page.query_selector(".card") is None
    page.evaluate("document.querySelector('canvas.time').scrollIntoView({block: 'center', behavior: 'instant'})")
    assert scan(shown, "canvas.time >> nth=0", "Child ") is not None


def test_the_keyboard_reaches_tasks_and_layers(show, made: dict[str, Any]):
    shown = show(made)
    page = shown.page
    page.focus("canvas.network")
    page.keyboard.press("ArrowRight")
    names = [made["tasks"][task]["name"] for task in made["order"]]
    assert page.inner_text(".card h3") == names[0]
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".card h3") == names[1]
    page.keyboard.press("ArrowUp")
    assert page.inner_text(".card h3") == "embedding"
    page.keyboard.press("Escape")
    page.focus(".legend button >> nth=3")
    page.keyboard.press("Enter")
    assert page.inner_text(".card h3") == names[3]
    shown.everything()
    page.focus("#sharing canvas")
    page.keyboard.press("ArrowRight")
    assert f"{names[0]} × {names[0]}" in page.text_content("#sharing [aria-live]")


def test_readers_of_the_screen_are_told(show, made: dict[str, Any]):
    shown = show(made)
    shown.everything()
    nameless = shown.page.evaluate("""() => {
      const nodes = [...document.querySelectorAll("button, select, input, canvas, svg[role], nav")];
      const named = (n) => n.getAttribute("aria-label") || n.textContent.trim() || n.labels?.length;
      return nodes.filter((n) => n.getAttribute("aria-hidden") !== "true" && !named(n)).map((n) => n.outerHTML);
    }""")
    assert nameless == []
    assert shown.page.evaluate("document.querySelectorAll('h1').length") == 1
    tables = shown.page.locator("details.data summary")
    assert tables.count() >= 8
    for number in range(tables.count()):
        tables.nth(number).click()
    # A table is made by the event of being opened, which comes after the click.
    shown.until("[...document.querySelectorAll('details.data')].every(d => d.querySelector('tbody tr'))")


def test_tasks_sort_and_lead_to_the_network(show, made: dict[str, Any]):
    page = show(made).page
    page.locator("#tasks").scroll_into_view_if_needed()
    page.click("#tasks thead button:has-text('test %')")
    best = max(made["tasks"], key=lambda row: row["test_accuracy"])
    assert page.inner_text("#tasks tbody tr:first-child th") == best["name"]
    assert page.get_attribute("#tasks th[data-column=test_accuracy]", "aria-sort") == "descending"
    page.click("#tasks tbody tr:first-child button")
    assert page.inner_text(".card h3") == best["name"]


def test_update_keeps_what_the_reader_looks_at(show, made: dict[str, Any]):
    before = deepcopy(made)
    for column in before["children"].values():
        del column[200:]
    keep = [place for place, step in enumerate(before["moments"]["step"]) if step < 200]
    before["moments"] = {key: [values[p] for p in keep] for key, values in before["moments"].items()}
    shown = show(before)
    page = shown.page
    shown.everything()
    page.evaluate(
        "window.munet.goto(50); window.munet.choose({kind: 'task', task: 2}); scrollTo({top: 900, behavior: 'instant'})"
    )
    made["title"] = "grown on"
    made["tasks"].append(made["tasks"][0] | {"name": "new", "model": None})
    for table in ("retained", "lineages", "sharing", "flow"):
        made[table].append({"retained": -1, "lineages": []}.get(table, [0] * 9))
    made["order"].append(8)
    for kind in ("seconds", "flops"):
        made["costs"][kind].append([0, 0, 0])
    made["rejected"]["by_task"].append([0] * (2 + len(made["rejected"]["reasons"])))
    for one in made["settings"]["schedules"]:
        one["lines"].append([])
    page.evaluate("(made) => window.munet.update(made)", made)
    assert page.evaluate(f"[{STATE}.step, {STATE}.chosen.task, {STATE}.data.count]") == [50, 2, 256]
    assert page.title() == "grown on"
    page.wait_for_timeout(300)
    assert abs(page.evaluate("scrollY") - 900) < 120
    page.evaluate("window.munet.goto(1e9)")
    page.evaluate("(made) => window.munet.update(made)", before)
    assert page.evaluate(f"{STATE}.step") == 199, "who looks at the end goes on looking at the end"
    assert shown.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_names_of_any_kind(show, made: dict[str, Any], size: str):
    names = (NASTY, "漢字の手書き文字認識", "a" * 90, "بعد-كتابة", "x_" * 40, "देवनागरी", "🦜", "&lt;b&gt;")
    for row, name in zip(made["tasks"], names, strict=True):
        row["name"] = name
    made["title"] = made["root"]["source"] = NASTY
    made["notes"] = [NASTY, "layers of task 'x' are missing: head"]
    shown = show(made, size)
    shown.everything()
    page = shown.page
    assert shown.complaints == []
    assert page.query_selector("main img") is None
    assert NASTY in page.inner_text("#summary")
    assert page.inner_text("#tasks tbody tr:nth-child(2) th").strip() == names[1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.touching() == []


def test_a_task_whose_first_iteration_goes_on_shows_its_best(show, made: dict[str, Any]):
    last = max(place for place, task in enumerate(made["moments"]["task"]) if task == 2)
    made["retained"][2] = -1
    made["tasks"][2]["validation_accuracy"] = made["tasks"][2]["test_accuracy"] = made["tasks"][2]["model"] = None
    accuracy = made["children"]["accuracy"][made["moments"]["sampled"][last]]
    shown = show(made)
    assert shown.page.evaluate(f"{STATE}.growth.accuracy(2)") == accuracy
    assert f"{100 * accuracy:.1f}" in shown.page.inner_text(".legend li:has-text('" + made["tasks"][2]["name"] + "')")
    assert shown.complaints == []


def test_sections_far_down_are_filled_without_scrolling(show, made: dict[str, Any]):
    page = show(made).page
    bodies = "[...document.querySelectorAll('main [data-body]')]"
    end = time.monotonic() + 60
    while not page.evaluate(f"{bodies}.every(body => body.childElementCount)"):
        assert time.monotonic() < end
        page.wait_for_timeout(50)
    assert page.evaluate("scrollY") == 0


def test_what_is_not_known_is_not_taken_for_nothing(show, made: dict[str, Any]):
    made["tasks"][0]["test_accuracy"] = made["learning"][0]["test_accuracy"] = None
    made["totals"]["mean_test_accuracy"] = None
    made["children"]["score"][-1] = made["children"]["accuracy"][-1] = None
    made["progress"][0]["mean_test_accuracy"] = None
    shown = show(made)
    shown.everything()
    page = shown.page
    assert page.inner_text("#tasks tbody tr:first-child td:nth-of-type(2)") == "–"
    assert page.inner_text("#tasks tbody tr:first-child td:nth-of-type(3)") == "–"
    assert "gap" not in page.inner_text("#learning figure >> nth=0")
    assert "mean validation accuracy" in page.inner_text("#summary")
    assert shown.complaints == []


def test_pages_with_next_to_nothing(show, made: dict[str, Any], tmp_path: Path):
    from analysis_tools import big_system

    for tasks, children in ((0, 0), (1, 0), (1, 6), (2, 3)):
        system = big_system(tmp_path / f"{tasks}-{children}", tasks=tasks, children=children, blocks=2)
        shown = show(payload(system.history()))
        shown.everything()
        assert shown.complaints == []
        assert (len(shown.page.inner_text("main")) > 500) == (children > 0)
    assert "A system without tasks" not in shown.page.inner_text("h1")


def test_it_plays_smoothly(show, large: dict[str, Any]):
    """124 tasks x 31 layers above 30 frames a second, where the machine has a core to spare."""
    if (os.getloadavg()[0]) > (os.cpu_count() or 1) - 1:
        pytest.skip(f"the machine is busy: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    shown = show(large)
    page = shown.page
    page.evaluate("document.querySelector('#network').scrollIntoView({behavior: 'instant'})")
    page.click(".play")
    frames = page.evaluate("""() => new Promise((done) => {
      let count = 0, begin = performance.now();
      const tick = (now) => {
        count++;
        now - begin > 3000 ? done(count / (now - begin) * 1000) : requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    })""")
    assert page.evaluate(f"{STATE}.playing")
    assert frames > 30
