"""One page at an address: what is answered, and to whom."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from munet.serving.fixed_page import FixedPage, bind
from munet.serving.policy import policy
from watch_tools import ask

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGE = "<!doctype html><html><head><title>t</title></head><body><script>document.title = 'run'</script></body></html>"


@contextmanager
def running(**options: Any) -> Iterator[FixedPage]:
    server = bind(command="report", usual=8467, port=0, **options)
    server.page = PAGE
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_the_page_with_its_policy_and_compressed_for_those_who_can():
    with running() as server:
        answer, body = ask(server, "/")
        _, packed = ask(server, "/", Accept_Encoding="gzip")
        head, nothing = ask(server, "/", "HEAD")
    assert (answer.status, body.decode()) == (200, PAGE)
    assert answer.headers["Content-Security-Policy"] == policy(PAGE)
    assert gzip.decompress(packed) == body
    assert (head.status, nothing) == (200, b"")


def test_there_is_nothing_else_and_nothing_can_be_changed():
    with running() as server:
        assert [ask(server, path)[0].status for path in ("/x", "/../munet.json", "/payload")] == [404, 404, 404]
        assert [ask(server, "/", method)[0].status for method in ("POST", "DELETE", "BREW")] == [405, 405, 405]
        assert ask(server, "/", Content_Length="3")[0].status == 400
        assert ask(server, "/", Host="evil.example")[0].status == 403


def test_other_machines_need_the_token():
    with running(host="0.0.0.0", token="a-long-token") as server:
        refused, text = ask(server, "/")
        assert refused.status == 401
        assert "`munet report` printed" in text.decode()
        answer, _ = ask(server, "/?token=a-long-token")
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert ask(server, "/", Cookie=cookie)[0].status == 200
        assert server.full_url.endswith("/?token=a-long-token")


@pytest.mark.browser
def test_its_scripts_run_in_a_browser(browser: "Browser"):
    with running() as server:
        page = browser.new_page()
        page.goto(server.url)
        assert page.title() == "run"
        page.close()
