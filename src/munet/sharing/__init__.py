"""One system that many people grow: what one of them has retained reaches the others, and nothing is lost.

    task.py         the part of a task's record that is shared, and how two of them are joined
    place.py        Place: where a system lies, as those see it who exchange with it
    folder.py       a system in a folder of this machine or of a shared disk
    objects.py      a system in an object store: S3, GCS, Azure, or read only over HTTPS
    exclusion.py    pushes and collections of an object store see each other
    reaching.py     what the records of an object store reach
    checking.py     an object store checked
    collecting.py   what nothing reaches in an object store, removed
    copying.py      models with all they need, from one place to another, each byte checked
    exchange.py     push, pull, fetch: tasks from one place to another
    renaming.py     tasks that have another name there than here
    hub_card.py     the model card of a system on the hub
    signing.py      heads that are signed, and what is taken where they have to be
    remotes.py      which remotes a system knows, and the place behind an address
    remote_log.py   what a place tells of its tasks: who retained what
    cloning.py      a system made from a remote
    verbs.py        what `System` has of it: clone, pull, push, fetch, merge
    judging.py      several models of a task measured here
    agent.py        pull, evolve, push, again and again

docs/sharing.md tells how it is used, docs/decisions/005 why it is so.
"""
