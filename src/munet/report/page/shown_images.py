"""What the page shows of each task's images: names made safe, intervals of shares, thumbnails in their place."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from munet.analysis.card import wilson
from munet.report.images.measuring import SPLITS
from munet.report.page.texts import shown
from munet.report.page.values import column

if TYPE_CHECKING:
    from munet.report.images.thumbnails import Folder


def images(names: list[str], seen: Mapping[str, Any], folder: "Folder | None") -> list[dict[str, Any] | None]:
    """One value a task; None where it has no model that could be asked."""
    return [_task(seen[name], folder) if name in seen else None for name in names]


def _task(found: Mapping[str, Any], folder: "Folder | None") -> dict[str, Any]:
    if found["missing"] is not None:
        return {"missing": shown(found["missing"])}
    put = folder.put if folder is not None else str
    return {
        "missing": None,
        "classes": [shown(name) for name in found["classes"]],
        "samples": [[label, number, put(address)] for label, number, address in found["samples"]],
        **{split: _split(found[split], put) for split in SPLITS},
    }


def _split(found: Mapping[str, Any], put: Any) -> dict[str, Any]:
    counts, right, answered = found["by_class"]
    intervals = [wilson(r, n) if n else (None, None) for r, n in zip(right, counts, strict=True)]
    return {
        **{key: found[key] for key in ("examples", "correct", "top_5", "calibration_error", "order", "cells")},
        "reliability": [
            column([n, sure, right, *wilson(round(n * right), n)]) for n, sure, right in found["reliability"]
        ],
        "by_class": [counts, right, answered, *(column(ends) for ends in zip(*intervals, strict=True))],
        "errors": [[*error[:5], *map(put, error[5:])] for error in found["errors"]],
    }
