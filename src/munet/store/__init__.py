"""Layers and models by content, tasks and runs by name, on disk so that a crash at any moment loses nothing.

    objects.py       immutable objects, named by their hash
    schema/          each record as a type, and the one function that begins it
    layer_file.py    a layer as a safetensors file, and its content id
    records.py       canonical JSON; records that carry their checksum
    reading.py       records and manifests read, with errors that say what to do
    known.py         what was found whole before, so that it is not checked again
    typed.py         whether a value that was read has the type that the schema gives it
    manifests.py     what a model refers to
    task_files.py    names of the records of tasks; task_list.py which there should be
    added.py         the order in which tasks were added
    runs.py          the runs of a system by their files, a part of Store
    retained.py      the models that a task has retained, where systems share it
    called.py        which task a model is of, where tasks were given other names
    claimed.py       whose accuracies are claims of others
    signatures.py    what of that is signed, and by whom
    run_files.py     names of a run's files; what tasks and runs refer to
    run_records.py   the records of a run, read and written as what they are
    creation.py      a directory that is a system or is none
    staging.py       a system made beside its place and moved there in one step
    task_files.py    which files are records of tasks
    store.py         Store: all of it in one class
    relations.py     what manifests say of their relations, read once
    derived.py       owners, totals, lineage: what follows from the refs
    promised.py      layers that lie elsewhere until they are used
    reachability.py  what the refs reach
    turns.py         the locks of tasks that are evolved
    strays.py        files that are none of a system's own
    absent.py        records that should be there and are not
    consistent.py    reading while others write: again from fresh refs where something is gone
    fsck.py          checking everything
    gc.py            removing what no ref reaches: everywhere, or among what a task iteration let go

The format is written down for other readers in docs/format.md. Nothing here imports torch until tensors are asked for.
"""

from munet.store.records import FORMAT
from munet.store.store import Store

__all__ = ["FORMAT", "Store"]
