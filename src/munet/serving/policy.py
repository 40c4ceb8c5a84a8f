"""The Content-Security-Policy of a page that holds all that it needs."""

import base64
import hashlib
import re

_INLINE = re.compile(r"<(script|style)\b([^>]*)>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)


def policy(page: str, images: str = "data:") -> str:
    """A page's own scripts and styles by their hashes, `images` from where that says, and nothing from elsewhere."""
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
            f"img-src {images}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
