"""Addresses to listen on, and why one cannot be listened on."""

import errno
import socket

from munet.errors import InputError


def resolved(host: str) -> tuple[socket.AddressFamily, str]:
    """(family, numeric address) of a host's name. InputError for an unknown one."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"--host {host}: no such address; 127.0.0.1 is this machine, 0.0.0.0 all its networks"
        ) from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(address[0])


def refused(error: OSError, address: str, port: int) -> InputError:
    """What to tell of a port that cannot be opened."""
    if error.errno == errno.EADDRNOTAVAIL:
        return InputError(f"--host {address}: this machine does not have that address")
    if error.errno == errno.EADDRINUSE:
        reason = "is taken: choose another one, or leave --port out to get a free one"
    elif error.errno in (errno.EACCES, errno.EPERM):
        reason = "may not be opened by you: choose one above 1023"
    else:
        reason = f"cannot be opened: {error.strerror}"
    return InputError(f"--port {port} {reason}")


def address_of(address: str, port: int) -> str:
    """What a browser is told; an address that stands for all of this machine becomes the machine's name."""
    name = socket.gethostname() if address in ("0.0.0.0", "::") else address
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def listening(host: str, port: int | None, usual: int) -> socket.socket:
    """A socket that listens: on `port`, or where that is None on the usual one, else on any free one. InputError."""
    family, address = resolved(host)
    try:
        return _bound(family, address, usual if port is None else port)
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return _bound(family, address, 0)
        raise refused(error, address, usual if port is None else port) from error


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    # With the protocol named asyncio sends at once what is written (TCP_NODELAY): head and body of an answer are two
    # small writes, and without it the second waits 40 ms for the client's word that it has the first.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(1024)
    except OSError:
        made.close()
        raise
    return made
