"""The model card of a system that is pushed to the hub: README.md there, which the hub shows first.

It is written by whoever knows all that is shared there, and never over one that a person has written or changed: the
last line holds the digest of what is above it.
"""

import hashlib
import re
from collections.abc import Sequence

from munet.fs.hub_bucket import SCHEME, HubBucket
from munet.sharing.exchange import Outcome
from munet.sharing.objects import ObjectPlace
from munet.sharing.place import Place
from munet.store import Store

FILE = "README.md"
_MOST = 10 << 20  # bytes
_KNOWN = ("new", "same", "taken")  # of outcomes: nothing is known there that is not known here
_WRITTEN = re.compile(rb"\n<!-- written by munet push, [^\n]*: ([0-9a-f]{64}) -->\n\Z")


def carry_card(place: Place, store: Store, outcomes: Sequence[Outcome]) -> bool:
    """Write the card beside what was pushed, and whether it is new. Nothing happens where there is no hub, no model, or
    something shared that is not known here. StoreError where it cannot be written."""
    if not isinstance(place, ObjectPlace) or not isinstance(place.bucket, HubBucket):
        return False
    from munet.analysis.card import card

    there = place.tasks()
    here = {outcome.task: outcome.source or outcome.task for outcome in outcomes if outcome.what in _KNOWN}
    spoken_of = [here[task] for task in there if task in here and store.read_task(here[task])["model"] is not None]
    if set(there) - here.keys() or not spoken_of:
        return False
    text = card(store, spoken_of, name=place.name.removeprefix(SCHEME), address=place.name)
    data = signed(text)
    before, mark = place.bucket.get(FILE, _MOST)
    if before == data or (before is not None and not is_ours(before)):
        return False
    mode = "create" if before is None else mark
    return place.bucket.put(FILE, data, mode) is not None and place.bucket.settle()


def signed(text: str) -> bytes:
    """A card with the line by which it is known to be as it was written."""
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    return data + f"\n<!-- written by munet push, which leaves it alone once you change it: {digest} -->\n".encode()


def is_ours(data: bytes) -> bool:
    """Whether a card is as munet wrote it."""
    found = _WRITTEN.search(data)
    return found is not None and hashlib.sha256(data[: found.start()]).hexdigest().encode() == found[1]
