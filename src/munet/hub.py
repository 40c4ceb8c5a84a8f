"""The Hugging Face hub, asked in a way that a person without network is not kept waiting for."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PATIENCE = 5.0  # seconds for one connection
_PROXIES = ("https_proxy", "http_proxy", "all_proxy")


def reachable() -> bool:
    """Whether the hub answers at all. Behind a proxy only its own client can tell, so the answer is yes."""
    if any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        return True
    from huggingface_hub import constants

    place = urlsplit(constants.ENDPOINT)
    try:
        with socket.create_connection((place.hostname or "", place.port or 443), timeout=_PATIENCE):
            return True
    except OSError:
        return False


@contextmanager
def patient() -> Iterator[None]:
    """Work from the local cache at once where the hub cannot be reached, and keep the client's retries to itself."""
    from huggingface_hub import constants

    logger = logging.getLogger("huggingface_hub")
    level, offline = logger.level, constants.HF_HUB_OFFLINE
    logger.setLevel(logging.ERROR)
    constants.HF_HUB_OFFLINE = offline or not reachable()
    try:
        yield
    finally:
        logger.setLevel(level)
        constants.HF_HUB_OFFLINE = offline
