"""Why an object store refused a request, and what helps: read from the words of its answer, for errors have few kinds.

S3, and what speaks like it, name the cause in `<Code>`; GCS and Azure in their own words.
"""

import re
from typing import NamedTuple

_ENVIRONMENT = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}


class Refusal(NamedTuple):
    """A cause."""

    why: str
    way: str

    def __str__(self) -> str:
        return f"{self.why}: {self.way}"


def is_no_bucket(error: Exception) -> bool:
    """Whether a store says that there is no such bucket, and not only no such object in it."""
    return bool(re.search(r"<Code>(NoSuchBucket|ContainerNotFound)<|specified bucket does not exist", str(error)))


def refusal_of(error: Exception, address: str, action: str) -> Refusal | None:
    """The cause of an error of a store, if it is one that a person can mend. `action` is read or write."""
    said, (scheme, _, rest) = str(error), address.partition("://")
    bucket = f"{scheme}://{rest.partition('/')[0]}"
    if is_no_bucket(error):
        return Refusal(f"there is no bucket {bucket}", "make it with the tools of the store, or mend the address")
    if re.search(r"RequestTimeTooSkewed|too skewed|RequestExpired|Request has expired", said):
        return Refusal(
            f"{address} refuses requests whose time is far from its own", "the clock of this machine is wrong: set it"
        )
    where = f"put {_ENVIRONMENT.get(scheme, 'them')} into the environment"
    # Without credentials the library asks the machine's metadata service, which only a cloud's machines have.
    if re.search(r"169\.254\.169\.254|metadata\.google|Account must be specified|token request", said):
        return Refusal(f"there are no credentials for {bucket}", where)
    if (why := _unreachable(said)) is not None:
        return Refusal(
            f"{address} cannot be reached, {why}",
            "is the address right, and does the server run? then the same command goes on",
        )
    wrong = "InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AuthenticationFailed|401 Unauthorized"
    if re.search(wrong, said):
        return Refusal(f"{bucket} does not take these credentials", where)
    if re.search(r"403 Forbidden|AccessDenied", said) and action == "write":
        way = "have its owner allow it, or add it with `munet remote add … --read-only`"
        return Refusal(f"{address} can only be read with these credentials", way)
    if re.search(r"403 Forbidden|AccessDenied", said):
        return Refusal(f"{address} may not be read with these credentials", f"have its owner allow it, or {where}")
    return None


def _unreachable(said: str) -> str | None:
    """Which server an error says that cannot be reached, and why."""
    asked = re.search(r"performing [A-Z]+ (https?://[^/\s]+)", said)
    if asked is None or not re.search(r"kind: (Connect|Timeout)\b", said):
        return None
    if "dns error" in said:
        return f"nobody knows the name of {asked[1]}"
    return f"{asked[1]} {'refuses connections' if 'ConnectionRefused' in said else 'does not answer'}"
