"""What is kept: layers and models by content, tasks and runs by name, so that a crash at any moment loses nothing.

    files.py         bytes to disk, whole or not at all
    locks.py         commits together, gc and evolution alone
    objects.py       immutable objects, named by their hash
    records.py       canonical JSON; records that carry their checksum
    manifests.py     what a model refers to
    refs.py          what tasks and runs refer to
    creation.py      a directory that is a system or is none
    store.py         Store: all of it in one class
    facts.py         what manifests say of their relations, read once
    reachability.py  what the refs reach
    fsck.py          checking everything
    gc.py            removing what no ref reaches: everywhere, or among what a task iteration let go

The format is written down for other readers in docs/format.md. Nothing here imports torch until tensors are asked for.
"""

from munet.store.records import FORMAT
from munet.store.store import Store

__all__ = ["FORMAT", "Store"]
