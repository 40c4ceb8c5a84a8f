"""`munet watch`: the page of a system, live while it evolves in another process.

    changes.py   whether anything changed, by the names and times of files
    activity.py  whether an evolution runs
    feed.py      the payload that is shown, remade when something changed; the state that is pushed
    page.py      the page with live.js (made from web/live/) and live.css, and its Content-Security-Policy
    site.py      the routes
    server.py    the server: `bind` makes one; needs the extra `serve`

The page and its payload are those of `munet report`; here they are passed in.
"""

from munet.report.watch.server import PORT, Server, bind

__all__ = ["PORT", "Server", "bind"]
