"""Stores of objects, through the library obstore: S3, GCS, Azure, and what a web server holds."""

import os
import re
import textwrap
from datetime import timedelta
from typing import Any, cast

from munet.errors import InputError
from munet.fs.refusals import refusal_of

_PATIENCE = timedelta(seconds=10)
_TRIES = re.compile(r" in [\d.]+\S*s(, after \d+ retries, max_retries: \d+, retry_timeout: \S+)?\s+- ")


def library() -> Any:
    """The library obstore. InputError where it is not installed."""
    try:
        import obstore
        import obstore.exceptions
    except ImportError as error:
        raise InputError("object stores need obstore: pip install 'munet-ml[remote]'", kind="missing-extra") from error
    return cast("Any", obstore)


def store_at(address: str, *, patient: bool = True) -> Any:
    """obstore's store of an address; credentials are those of the environment. Unless `patient`, a store that does not
    answer is given up within seconds. InputError for what is no address."""
    library()
    from obstore.store import from_url

    more: dict[str, Any] = {} if patient else {"retry_config": {"max_retries": 2, "retry_timeout": _PATIENCE}}
    options: dict[str, Any] = {} if patient else {"connect_timeout": _PATIENCE}
    # Options that are given hide those of the environment, also where there are none in them.
    if address.startswith("http://") or os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1"):
        options["allow_http"] = True
    if options:
        more["client_options"] = options
    try:
        return from_url(address, **more)
    except Exception as error:  # of many kinds, one for each store
        refusal = refusal_of(error, address, "read")
        raise InputError(str(refusal or f"{address}: {first_line(error)}"), kind="remote") from error


def first_line(error: Exception) -> str:
    """What an error of a store says, as far as a person can use it."""
    line = _TRIES.sub(": ", str(error).strip().partition("\n")[0])
    return textwrap.shorten(line, 200, placeholder="…")
