"""The page: one file, no network, everything escaped, small, and the same bytes for the same system."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import munet
from munet.errors import InputError, StoreError
from munet.report.page import build_page, payload, write_page
from munet.report.page.build import data_text

NASTY = "</script><script>alert(1)</script><!--{{style}}{{payload}}\u2028&\"'"


class Parts(HTMLParser):
    """What a browser would find: tags with their attributes, and the text inside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._inside, []).append(data)

    def data(self) -> Any:
        return json.loads(next(text for text in self.texts["script"] if text.startswith("{")))


def test_the_page_holds_its_payload(made: dict[str, Any]):
    assert Parts(build_page(made)).data() == made


def test_it_needs_nothing_from_elsewhere(made: dict[str, Any]):
    page = build_page(made)
    parts = Parts(page)
    assert not [tag for tag, attributes in parts.tags if "src" in attributes]
    assert {attributes["href"][:1] for _, attributes in parts.tags if "href" in attributes} == {"#", "d"}  # data:  # pyright: ignore[reportOptionalSubscript]
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|eval\(|innerHTML", page)


def test_only_its_own_script_and_style_may_run(made: dict[str, Any]):
    page = build_page(made)
    policy = next(a["content"] or "" for tag, a in Parts(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for kind, name in (("script", "script-src"), ("style", "style-src")):
        text = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        assert len(text) == 1
        assert rules[name] == f"'sha256-{base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()}'"
    assert rules["default-src"] == "'none'"
    assert "Content-Security-Policy" not in build_page(made, live=True), "its server says what it may"


def test_names_cannot_break_out_of_their_place(made: dict[str, Any]):
    made["title"] = made["tasks"][0]["name"] = made["root"]["source"] = NASTY
    made["notes"] = [NASTY]
    page = build_page(made)
    parts = Parts(page)
    assert [tag for tag, _ in parts.tags].count("script") == 2
    assert parts.data() == made
    assert parts.texts["title"][0] == NASTY
    assert "alert(1)</script>" not in page
    assert "<!--" not in data_text(made)


def test_text_that_is_no_unicode_is_written_all_the_same(made: dict[str, Any]):
    made["tasks"][0]["name"] = "half \ud800 a pair"
    assert Parts(build_page(made).encode().decode()).data() == made


def test_the_same_system_gives_the_same_bytes(eight: munet.System):
    pages = [build_page(payload(munet.System.open(eight.path).history(), "t")) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(pages[0].encode()) < 300_000


def test_a_page_is_written_in_one_step(tmp_path: Path, made: dict[str, Any]):
    page = build_page(made)
    target = write_page(page, tmp_path / "fleet.html")
    assert target.read_text("utf-8") == page
    assert [file.name for file in tmp_path.iterdir()] == ["fleet.html"]
    with pytest.raises(InputError, match=r"fleet\.pdf: a report ends in \.html, for instance fleet\.html"):
        write_page(page, tmp_path / "fleet.pdf")
    with pytest.raises(StoreError, match="cannot write"):
        write_page(page, tmp_path / "nowhere" / "fleet.html")
