"""The bucket behind an address."""

from munet.fs.bucket import Bucket
from munet.fs.hub_bucket import SCHEME, HubBucket
from munet.fs.object_store import store_at


def bucket_at(address: str) -> Bucket:
    """The bucket behind an address such as `s3://bucket/fleet` or `hf://org/fleet`. InputError for what is none."""
    return HubBucket(address) if address.startswith(SCHEME) else Bucket(store_at(address), address)
