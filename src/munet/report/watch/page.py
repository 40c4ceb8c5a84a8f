"""The page as the server sends it: with the script that keeps it live."""

import html
from functools import cache
from pathlib import Path


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


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
