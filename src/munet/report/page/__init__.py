"""The report as one HTML file: no network, no other file. `payload` says what it holds, `build` makes the page.

    payload.py  the history of a system as the JSON value that the page draws
    network.py  its part of layers, paths and moments; columns.py orders the tasks
    sampled.py  its part of every child ever sampled
    charts.py   its part of the charts
    shown_images.py  its part of each task's images
    looks.py    colours of tasks
    texts.py    names and mutations as the page writes them; values.py table values as JSON
    build.py    HTML from template, styles, scripts and payload

Its scripts are made from web/ at the top of the repository (docs/report.md).
"""

from munet.report.page.build import build_page, check_name, write_page
from munet.report.page.payload import SCHEMA, payload

__all__ = ["SCHEMA", "build_page", "check_name", "payload", "write_page"]
