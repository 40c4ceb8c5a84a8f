"""Results as JSON, as tables on the screen, and as Markdown in docs/performance.md.

    python benchmarks/reporting.py --results build/bench                           print the tables of all results
    python benchmarks/reporting.py --results build/bench --write docs/performance.md   replace them in the page

In the page, the tables of a benchmark stand between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from common import RESULTS, cores

_PACKAGES = ("torch", "timm", "numpy", "munet-ml", "kornia", "torchvision", "ray")


@dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]]

    def text(self) -> str:
        """For a screen: aligned columns."""
        cells = [self.columns, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        return "\n".join([self.title, "", lines[0], "-" * len(lines[0]), *lines[1:]])

    def markdown(self) -> str:
        rows = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join([f"**{self.title}**", "", *("| " + " | ".join(row) + " |" for row in rows)])


@dataclass
class Report:
    """What one benchmark found. `facts` are raw numbers for other programs, `tables` what people read."""

    benchmark: str
    settings: dict[str, Any]
    facts: list[dict[str, Any]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))  # of the machine, before the start

    def add_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        table = Table(title, list(columns), [[str(cell) for cell in row] for row in rows])
        self.tables.append(table)
        print("\n" + table.text() + "\n", flush=True)

    def write(self, folder: Path) -> Path:
        """Write `folder`/NAME.json, tables included; returns its path."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = {name: value for name, value in self.settings.items() if not isinstance(value, Path)}
        record = {"benchmark": self.benchmark, "date": datetime.now(UTC).isoformat(timespec="seconds")}
        record |= {"machine": machine(), "versions": versions(), "load_before": self.load, "settings": settings}
        record |= {"facts": self.facts, "tables": [asdict(table) for table in self.tables]}
        path = folder / f"{self.benchmark}.json"
        path.write_text(json.dumps(record, indent=1) + "\n")
        return path


def machine() -> dict[str, Any]:
    """What the figures depend on; no name of the machine."""
    found: dict[str, Any] = {"cpu": _cpu(), "cores": cores(), "system": f"{platform.system()} {platform.machine()}"}
    found |= {"instructions": torch.backends.cpu.get_cpu_capability(), "bf16": _has_bf16()}
    if hasattr(os, "sysconf"):
        found["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _cpuinfo(name: str) -> str:
    file = Path("/proc/cpuinfo")
    found = re.search(rf"^{name}\s*:\s*(.*)$", file.read_text(), re.M) if file.exists() else None
    return found[1] if found else ""


def _cpu() -> str:
    return _cpuinfo("model name") or platform.processor()


def _has_bf16() -> bool:
    """Whether the processor multiplies in bfloat16."""
    return bool({"avx512_bf16", "amx_bf16"} & set(_cpuinfo("flags").split()))


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def markdown(record: dict[str, Any]) -> str:
    """Date, machine and tables of one result."""
    place, made = record["machine"], record["versions"]
    device = place.get("gpu") if str(record["settings"].get("device", "cpu")).startswith("cuda") else place["cpu"]
    packages = ", ".join(f"{name} {version}" for name, version in made.items() if name != "munet-ml")
    quick = " A quick run: its figures mean nothing." if record["settings"].get("quick") else ""
    line = f"{record['date'][:10]}, {device}, {place['cores']} cores, {place.get('memory_gib', '?')} GiB; {packages}."
    return "\n\n".join([line + quick, *(Table(**table).markdown() for table in record["tables"])])


def fill(page: str, records: Sequence[dict[str, Any]]) -> str:
    """The page with the tables of each record between its marks; ValueError where the page has no such marks."""
    for record in records:
        name = re.escape(record["benchmark"])
        pattern = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.S)
        if not pattern.search(page):
            raise ValueError(f"the page has no place for the results of {record['benchmark']}")
        body = markdown(record) + "\n"
        page = pattern.sub(lambda found, body=body: found[1] + body + found[2], page)
    return page


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the JSON results, default {RESULTS}")
    made.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    args = made.parse_args()
    records = [json.loads(file.read_text()) for file in sorted(args.results.glob("*.json"))]
    if not records:
        made.error(f"{args.results} holds no results: `make bench` makes some")
    if args.write:
        args.write.write_text(fill(args.write.read_text(), records))
    else:
        print("\n\n".join(f"## {record['benchmark']}\n\n{markdown(record)}" for record in records))


if __name__ == "__main__":
    main()
