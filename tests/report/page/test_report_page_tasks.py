"""The page of a task, and what the page of a system says of each: images, what is kept, what stands against it."""

from typing import Any

import pytest

from image_tools import made_up
from munet.report.page.shown_images import images
from page_browser import SIZES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NASTY = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("classes", [2, 37, 200])
def test_the_page_of_a_task(show, made: dict[str, Any], size: str, classes: int):
    names = [task["name"] for task in made["tasks"]]
    made["images"] = images(names, {names[3]: made_up(classes)}, None)
    shown = show(made, size)
    page = shown.page
    page.locator("#images").scroll_into_view_if_needed()
    page.click(f"#images a:has-text('{names[3]}')")
    shown.until("!task.hidden && document.querySelector('#task canvas')?.clientHeight > 0")
    assert page.is_hidden("#network")
    assert page.inner_text("#task h1") == names[3]
    assert page.locator("#task img").count() == 32, "those of the test split, and samples"
    assert page.evaluate("[...document.querySelectorAll('#task img')].every((image) => image.alt)")
    wrong = page.inner_text("#task .how >> nth=2")
    page.click("#task button:has-text('validation split')")
    assert page.inner_text("#task .how >> nth=2") != wrong
    assert page.locator("#task img").count() == 28
    page.focus("#task canvas")
    page.keyboard.press("ArrowDown")
    assert "class" in (page.text_content("#task [aria-live]") or "")
    page.wait_for_timeout(200)
    assert shown.touching() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.select_option("#task select", "0")
    shown.until(f"document.querySelector('#task h1').textContent === {names[0]!r}")
    assert "were left out of this page" in page.inner_text("#task")
    page.go_back()
    page.go_back()
    assert page.is_visible("#network")
    assert shown.complaints == []


def test_the_page_of_a_task_opens_by_its_address_and_stays_while_the_system_grows(show, made: dict[str, Any]):
    made["tasks"][1]["name"] = NASTY
    seen = made_up(3)
    seen["classes"][0] = NASTY
    made["images"] = images([str(n) for n in range(8)], {"1": seen}, None)
    shown = show(made)
    page = shown.page
    page.evaluate("location.hash = '#task=' + encodeURIComponent(window.munet.state.data.tasks[1].name)")
    shown.until("!task.hidden")
    assert page.inner_text("#task h1") == NASTY
    page.evaluate("(made) => window.munet.update(made)", made)
    assert page.is_visible("#task h1")
    page.click("#contents a[href='#costs']")
    shown.until("task.hidden && scrollY > 500")
    page.evaluate("location.hash = '#task=%E0%A4'")
    assert page.is_hidden("#task"), "an address that names nothing shows the system"
    assert shown.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_what_is_kept_and_what_stands_against_it(show, made: dict[str, Any], size: str):
    shown = show(made, size)
    shown.everything()
    page = shown.page
    assert page.locator("#kept svg path").count() == len(made["tasks"])
    assert page.locator("#kept svg circle").count() == len(made["progress"])
    assert "Nothing but the retained models was measured" in page.inner_text("#ways")
    accuracy = made["tasks"][2]["validation_accuracy"]
    head = {
        "way": "head alone",
        "validation_accuracy": accuracy - 0.1,
        "test_accuracy": None,
        "trained": 5,
        "seconds": 2,
    }
    made["ways"][2].append(head)
    made["images"][2] = images(["x"], {"x": made_up(4)}, None)[0]
    made["tasks"][2]["test_accuracy"] = made["images"][2]["test"]["correct"] / 400
    page.evaluate("(made) => window.munet.update(made)", made)
    shown.everything()
    assert "beside head alone, 1 task: 1 better, 0 worse" in page.inner_text("#ways")
    assert "+10.00 points" in page.inner_text("#ways")
    assert "1 of 1 task has to the image the test accuracy of when it was retained" in page.inner_text("#kept")
    assert shown.touching() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.complaints == []


def test_the_root_is_drawn_apart_for_many_tasks(show, large: dict[str, Any], made: dict[str, Any]):
    page = show(large).page
    assert page.get_attribute(".zoom button:has-text('Root')", "aria-pressed") == "false"
    assert page.is_visible("[data-many]")
    page.click(".zoom button:has-text('Root')")
    assert page.get_attribute(".zoom button:has-text('Root')", "aria-pressed") == "true"
    few = show(made).page
    assert few.get_attribute(".zoom button:has-text('Root')", "aria-pressed") == "true"
    assert few.is_hidden("[data-many]")
