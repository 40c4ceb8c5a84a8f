"""The page as the server sends it: with the script that keeps it live, and with a policy that lets nothing else in."""

import base64
import hashlib
import html
import re
from functools import cache
from pathlib import Path

_INLINE = re.compile(r"<(script|style)\b([^>]*)>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)


def live_page(page: str, version: str) -> str:
    """A page of `munet report` that says whether it is live, and takes what the server pushes."""
    mark = f'<script type="application/json" id="munet-live-version">"{html.escape(version)}"</script>'
    parts = f"<style>{_asset('live.css')}</style>\n{mark}\n<script>{_asset('live.js')}</script>\n"
    end = page.lower().rfind("</body>")
    end = len(page) if end < 0 else end
    return page[:end] + parts + page[end:]


def waiting_page() -> str:
    """What is shown while there is nothing to show yet: it says why, and is loaded anew as soon as there is."""
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" '
        'content="light dark">\n<title>munet watch</title>\n</head>\n<body>\n<main><h1>Nothing to show yet</h1></main>'
        "\n</body>\n</html>\n"
    )
    return live_page(text, "")


def policy(page: str) -> str:
    """The Content-Security-Policy of a page: its own scripts and styles by their hashes, and nothing from elsewhere."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, attributes, text in _INLINE.findall(page):
        # Data is not run, so it needs no hash.
        if "application/json" not in attributes:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            hashes[kind.lower()].append(f"'sha256-{digest}'")
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src", *(hashes["script"] or ["'none'"]))),
            " ".join(("style-src", *(hashes["style"] or ["'none'"]))),
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
