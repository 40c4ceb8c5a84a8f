"""Systems that the papers' code published, imported as munet systems (`munet import mu2net`).

    places.py      which of the three formats a folder holds, and its newest whole state
    table.py       the CSV tables, with types back
    reading.py     the tables of each format ...
    published.py   ... in one form
    lineage.py     which models are imported, and who descends from whom
    message.py     the map of a flax checkpoint, indexed without reading arrays
    components.py  the components of all checkpoints
    blueprint.py   every slot of every model checked against them
    settings.py    hyperparameters and measures under our names
    names.py       task names, and tasks of the catalog
    data.py        where their images come from
    drafts.py      manifests without ids
    history.py     every model ever sampled, as the records of a run
    writing.py     layers, one at a time, and models
    staging.py     a system appears whole or not at all
    importing.py   all of it, in order
    attaching.py   images for a task that was imported without them

muNet: arXiv 2205.10937; mu2Net: 2205.12755; mu2Net+: 2209.07326; the code is google-research/muNet.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from munet.importing.attaching import attach
    from munet.importing.convert import Import, prepare

__all__ = ["Import", "attach", "import_published", "prepare"]


def import_published(folder: str | Path, system: str | Path, **options: Any) -> dict[str, Any]:
    """Import the published system in `folder` as a new one at `system`; options as `prepare` takes them."""
    from munet.importing.convert import prepare
    from munet.store.staging import refuse_taken

    refuse_taken(Path(system))
    return prepare(folder, **options).write(system)


def __getattr__(name: str) -> Any:
    """The rest when it is first asked for, because it needs numpy."""
    from importlib import import_module

    homes = {"attach": "attaching", "Import": "importing", "prepare": "importing"}
    if name in homes:
        return getattr(import_module(f"munet.importing.{homes[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
