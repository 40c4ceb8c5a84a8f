"""Systems that the papers' code published, imported as munet systems (`munet import mu2net`).

    formats.py          which of the three formats a folder holds, and its newest whole state
    csv_table.py        the CSV tables, with types back
    read_tables.py      the tables of each format ...
    state.py            ... in one form
    lineage.py          which models are imported, and who descends from whom
    flax_checkpoint.py  the map of a flax checkpoint, indexed without reading arrays
    components.py       the components of all checkpoints
    blueprint.py        every slot of every model checked against them
    hyperparameters.py  hyperparameters and measures under our names
    names.py            tasks of the catalog
    images.py           where their images come from
    manifests.py        manifests without ids
    run_records.py      every model ever sampled, as the records of a run
    writing.py          layers, one at a time, and models
    convert.py          all of it, in order
    attaching.py        images for a task that was imported without them

muNet: arXiv 2205.10937; mu2Net: 2205.12755; mu2Net+: 2209.07326; the code is google-research/muNet.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
