"""What docs/quickstart.md shows of a run, from the run: `python tools/quickstart_page.py munet-quickstart`."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from gallery import smaller
from munet.cli.quickstart import proof_text, reading, time_text
from munet.quickstart.journal import FILE

DOCS = Path(__file__).resolve().parents[1] / "docs"
_METHODS = {"head_only": "heads alone", "fine_tuning": "fine-tuning", "tuned": "tuned by hand", "system": "the system"}
_RUN = re.compile(r"(?<=<!-- run: written by `make quickstart-page` -->\n).*?(?=\n<!-- end of the run -->)", re.DOTALL)


def renewed(page: str, result: Mapping[str, Any]) -> str:
    """The page with what it says of a run as this one gave it."""
    said = (time_text(result), reading(result), proof_text(result["proof"], result["later_task"]))
    parts = (_table(result), *(fill(text, 120) for text in said))
    found, count = _RUN.subn(lambda _: "\n\n".join(parts), page)
    if count != 1:
        raise SystemExit("docs/quickstart.md has no place for what a run says")
    return found


def _table(result: Mapping[str, Any]) -> str:
    """Test accuracy of each task by method, and what each method took."""
    measured = [result["methods"][method] for method in _METHODS]
    rows = [["test accuracy in %", "classes", *_METHODS.values()], ["---"] * (2 + len(measured))]
    for task in result["tasks"]:
        name = task["name"] + (" (added later)" if task["name"] == result["later_task"] else "")
        rows.append(
            [name, str(task["classes"]), *(f"{100 * each['test_accuracy'][task['name']]:.1f}" for each in measured)]
        )
    rows.append(["**mean**", "", *(f"**{100 * each['mean_test_accuracy']:.1f}**" for each in measured)])
    rows.append(["parameters per task", "", *(f"{each['parameters_per_task']:,.0f}" for each in measured)])
    rows.append(["training images per task", "", *(_between(each["training_samples"].values()) for each in measured)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _between(counts: Any) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


if __name__ == "__main__":
    folder, page = Path(sys.argv[1]), DOCS / "quickstart.md"
    result = json.loads((folder / FILE).read_text(encoding="utf-8"))["result"]
    page.write_text(renewed(page.read_text(encoding="utf-8"), result), encoding="utf-8")
    smaller(folder / "network.png", DOCS / "quickstart-network.png")
