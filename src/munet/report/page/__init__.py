"""The report as one HTML file: no network, no other file. `payload` says what it holds, `build` makes the page.

Its scripts are made from web/ at the top of the repository (docs/report.md).
"""

from munet.report.page.build import build_page, check_name, write_page
from munet.report.page.payload import SCHEMA, payload

__all__ = ["SCHEMA", "build_page", "check_name", "payload", "write_page"]
