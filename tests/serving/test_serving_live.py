"""A real server: taken up models, the hub's client, the page in a browser, the command."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_serving_answers import picture

import munet
from cli_tools import munet as command
from growing import evolve
from munet.errors import InputError
from munet.serving.server import Server, bind

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextmanager
def running(system: munet.System, **options: Any) -> Iterator[Server]:
    server = bind(system.models, port=0, device="cpu", **options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)


def test_the_client_of_the_hub_speaks_to_it(system: munet.System) -> None:
    from huggingface_hub import InferenceClient

    with running(system) as server:
        client = InferenceClient(model=f"{server.url}models/four")
        found = client.image_classification(picture(1))
        two = client.image_classification(picture(1), top_k=2)
    wanted = [label for label, _ in system.predict("four", _decoded(picture(1))).top(4)[0]]
    assert [one.label for one in found] == wanted
    assert [one.label for one in two] == wanted[:2]


def _decoded(data: bytes) -> Any:
    import io

    from PIL import Image

    return Image.open(io.BytesIO(data))


def test_models_that_are_retained_meanwhile_are_taken_up_and_old_ones_answer_to_the_end(
    system: munet.System, start: Any
) -> None:
    service = start()
    before = service.served.now
    old = before.loaded["three"].model
    assert service.served.refresh() == []
    settings = {"samples_per_cycle": 128, "cycles": 2, "together": False, "head_first": False, "scale": 1.0}
    evolve(munet.System.open(system.path), ["three"], method="adaptive", settings=settings, threads=1, executor="local")
    new = munet.System.open(system.path).task("three")["model"]
    assert service.served.refresh() == (["three"] if new != old else [])
    assert service.served.now.loaded["three"].model == new
    assert before.loaded["three"].model == old
    assert set(service.served.now.nodes) == {"three", "four", "again"}
    system.remove_task("again")
    assert service.served.refresh() == ["again"]


def test_a_system_that_cannot_be_read_is_served_on(system: munet.System, start: Any) -> None:
    service = start()
    (system.path / "tasks").rename(system.path / "away")
    assert service.served.refresh() == []
    assert service.served.fault
    assert len(service.served.now.loaded) == 3
    (system.path / "away").rename(system.path / "tasks")
    service.served.refresh()
    assert service.served.fault is None


def test_what_cannot_be_served_is_said_at_once(system: munet.System) -> None:
    with pytest.raises(InputError, match="did you mean 'four'"):
        bind(system.models, ["fuor"])
    with running(system) as server, pytest.raises(InputError, match="is taken"):
        bind(system.models, port=server.access.port)


def test_the_command_names_the_extra_that_is_missing(system: munet.System) -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from munet.cli import main; main()"
    done = command("serve", str(system.path), code=code)
    assert done.returncode == 2
    assert "munet-ml[serve]" in done.stderr


def test_the_page_answers_for_an_image_in_a_browser(system: munet.System, browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "image.png"
    file.write_bytes(picture(1))
    with running(system, report=lambda: "<!doctype html><title>report</title>") as server:
        for width in (1200, 390):
            page = browser.new_page(viewport={"width": width, "height": 800})
            errors = list[str]()
            page.on("pageerror", lambda error, seen=errors: seen.append(str(error)))
            page.on("console", lambda line, seen=errors: seen.append(line.text) if line.type == "error" else None)
            page.goto(server.url)
            page.get_by_text("3 tasks: three, four, again").wait_for()
            page.set_input_files("#file", str(file))
            page.wait_for_selector("article")
            assert page.locator("article h2").all_inner_texts() == ["three", "four", "again"]
            assert page.locator("article").first.locator("meter").count() == 3
            assert "answered in" in page.inner_text("#note")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
            (tmp_path / "text.png").write_bytes(b"no image")
            page.set_input_files("#file", str(tmp_path / "text.png"))
            page.wait_for_selector("#note.wrong")
            assert "not an image" in page.inner_text("#note")
            assert [error for error in errors if "400" not in error] == []
            page.close()
        page = browser.new_page()
        page.goto(f"{server.url}report")
        assert page.title() == "report"
        page.close()


PASTED = """async ({event, kind, bytes}) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "image", {type: kind}));
    const name = event === "paste" ? "clipboardData" : "dataTransfer";
    const Kind = event === "paste" ? ClipboardEvent : DragEvent;
    document.dispatchEvent(new Kind(event, {[name]: data, bubbles: true, cancelable: true}));
}"""


@pytest.mark.parametrize("event", ["paste", "drop"])
def test_an_image_is_pasted_or_dropped(system: munet.System, browser: "Browser", event: str) -> None:
    with running(system) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.evaluate(PASTED, {"event": event, "kind": "image/png", "bytes": list(picture(1))})
        page.wait_for_selector("article")
        assert page.locator("article").count() == 3
        page.evaluate(PASTED, {"event": "drop", "kind": "text/plain", "bytes": [65]})
        page.wait_for_selector("#note.wrong")
        assert page.inner_text("#note") == "That is no image file."
        page.close()


def test_a_picture_is_taken_with_a_camera(system: munet.System, browser: "Browser") -> None:
    with running(system) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.click("#camera")
        page.wait_for_selector("#note.wrong")
        assert "not allowed to use the camera" in page.inner_text("#note"), "a browser asks first; here nobody says yes"
        page.context.grant_permissions(["camera"])
        page.click("#camera")
        page.click("#take")
        page.wait_for_selector("article")
        assert page.locator("article").count() == 3
        assert page.evaluate("document.getElementById('video').srcObject") is None, "the camera is let go"
        assert page.evaluate("document.getElementById('picture').naturalWidth") > 0
        page.click("#camera")
        page.wait_for_selector("#video", state="visible")
        page.click("#camera")
        page.wait_for_selector("#video", state="hidden")
        assert page.is_visible("#picture"), "what was asked last is shown again"
        page.close()
