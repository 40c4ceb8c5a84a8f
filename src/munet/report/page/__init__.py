"""The report as one HTML file: no network, no other file. `payload` says what it holds, `build` makes the page."""

from .build import build_page, write_page
from .payload import SCHEMA, payload

__all__ = ["SCHEMA", "build_page", "payload", "write_page"]
