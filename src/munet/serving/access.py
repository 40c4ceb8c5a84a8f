"""Who may look: a token wherever other machines can reach the server, and guards against what browsers can be led to.

A page of another site cannot read what this server says, for it sends no CORS header. It could if its own name were
made to point to this machine (DNS rebinding); so, on loopback, the Host header must be a name of loopback.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from munet.errors import InputError

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")


def checked_token(token: str) -> str:
    """A token that the user chose, if it can stand in an address. The message does not repeat it."""
    if not _TOKEN.fullmatch(token):
        raise InputError("--token: use 8 to 200 letters, digits, '-', '_', '.' or '~'; without --token one is made")
    return token


def new_token() -> str:
    return secrets.token_urlsafe(24)


def is_loopback(address: str) -> bool:
    """Whether a numeric address is reached from this machine only."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


@dataclass(frozen=True)
class Access:
    """What a request must bring. `token` is None where none is asked for, which is on loopback only."""

    token: str | None
    loopback: bool
    port: int

    @property
    def cookie(self) -> str:
        """Name of the cookie: cookies do not tell ports apart, and several systems may be served."""
        return f"munet-{self.port}"

    def cookie_header(self) -> str:
        """Keeps the token out of later addresses. It holds a digest, so that a stolen cookie is not the token."""
        return f"{self.cookie}={_digest(self.token or '')}; Path=/; HttpOnly; SameSite=Strict"

    def is_known_host(self, host: str | None) -> bool:
        """Whether a Host header names this machine, by any port: a tunnel may have changed that."""
        if not self.loopback:
            return True
        try:
            name = urlsplit(f"//{host or ''}").hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return is_loopback(name)
        except ValueError:
            return False

    def is_allowed(self, query: Mapping[str, list[str]], cookies: str | None, authorization: str | None = None) -> bool:
        """Whether a request brings the token: as `?token=`, as `Authorization: Bearer`, or as the cookie.

        Takes the same time whatever it brings.
        """
        if self.token is None:
            return True
        by_query = _same(query.get("token", [""])[0], self.token)
        by_header = _same((authorization or "").removeprefix("Bearer "), self.token)
        by_cookie = _same(_cookie(cookies, self.cookie), _digest(self.token))
        return by_query or by_header or by_cookie


def _digest(token: str) -> str:
    return hashlib.sha256(f"munet {token}".encode()).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _cookie(header: str | None, name: str) -> str:
    try:
        found = SimpleCookie(header or "").get(name)
    except CookieError:
        return ""
    return found.value if found else ""
