"""Methods as a person reads them: every setting with its value, its meaning and the source that its TOML names."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from munet.cli.text.formatting import NOTHING, number
from munet.cli.text.grid import grid, line
from munet.fs.decoding import decode_toml
from munet.search import Method, load_method, preset_names
from munet.text import clean, value_text

_FIRST = ("adaptive", "head-only", "finetune-adaptive", "finetune-tuned-photos", "finetune-tuned", "mu2net-plus")
_TABLES = ("space", "defaults")
_TABLE = re.compile(r"^\[(\w+)\]\s*(?:#\s*(.*))?$")
_KEY = re.compile(r"^(\w+)\s*=\s*(.*)$")
_LEGEND = re.compile(r"^#   (\w+ {2,}.*)$")


def list_methods() -> list[dict[str, Any]]:
    """Every preset with what it is for and its budget: first those for one's own tasks, then the papers'."""
    budget = ("task_iterations", "generations", "children", "cycles", "samples_per_cycle", "batch_size", "scale")
    names = (*_FIRST, *sorted(set(preset_names()) - set(_FIRST)))
    found = [(load_method(name), decode_toml(_text(name))["when"]) for name in names]
    return [
        {"name": m.name, "when": when, "source": m.source, "samples_per_task": _samples(m)}
        | {key: getattr(m, key) for key in budget}
        for m, when in found
    ]


def _samples(method: Method) -> int:
    """Images that a task is trained on, each as often as it is used."""
    return 0 if method.training == "never" else method.child_cycles * method.samples_per_cycle


def show_method(name: str) -> dict[str, Any]:
    """One method, named or a TOML file: name, source, legend, settings as [{name, value, source, meaning}]."""
    method = load_method(name)
    sources, legend = _sources(name)
    settings = []
    for field, about in Method.model_fields.items():
        if field in ("name", "source"):
            continue
        value = getattr(method, field)
        inner = (
            {f"{field}.{key}": item for key, item in value.items()} if field in _TABLES and value else {field: value}
        )
        for key, item in inner.items():
            source = sources.get(key, sources.get(field, ""))
            settings.append({"name": key, "value": item, "source": source, "meaning": about.description or ""})
    return {"name": method.name, "source": method.source, "legend": legend, "settings": settings}


def _sources(name: str) -> tuple[dict[str, str], list[str]]:
    """Setting -> what the comment beside it says, and what the comments call the papers; a file's own come first."""
    text = _text(name)
    sources, legend = comments(text)
    base = re.search(r'^extends\s*=\s*"([^"]+)"', text, re.MULTILINE)
    if base is None:
        return sources, legend
    parent = base.group(1)
    if parent.endswith(".toml") and name.endswith(".toml"):
        parent = str(Path(name).parent / parent)
    inherited, first = _sources(parent)
    return inherited | sources, legend or first


def _text(name: str) -> str:
    if name.endswith(".toml"):
        return Path(name).read_text(encoding="utf-8")
    preset = name.partition(":")[0]  # adapters:64 is the preset adapters with a value
    return files("munet.search").joinpath("presets", f"{preset}.toml").read_text(encoding="utf-8")


def comments(text: str) -> tuple[dict[str, str], list[str]]:
    """What the comments of a method's TOML say of each setting (`key` or `table.key`), and its legend.

    A comment stands behind the value, alone on the line before it, or behind the heading of its table.
    """
    sources: dict[str, str] = {}
    legend: list[str] = []
    table, above = "", ""
    for row in text.splitlines():
        if heading := _TABLE.match(row.strip()):
            table, above = heading.group(1), ""
            if heading.group(2):
                sources[table] = heading.group(2)
        elif entry := _KEY.match(row):
            key = f"{table}.{entry.group(1)}" if table else entry.group(1)
            own = _comment(entry.group(2)) or above
            if own:
                sources[key] = own
            above = ""
        elif note := _LEGEND.match(row):
            legend.append(note.group(1))
        else:
            above = row.removeprefix("#").strip() if row.startswith("#") and table else ""
    return sources, legend


def _comment(value: str) -> str:
    """What follows the first `#` outside of quotes."""
    quote = ""
    for index, character in enumerate(value):
        if character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        elif not quote and character == "#":
            return value[index + 1 :].strip()
    return ""


def methods_view(found: Mapping[str, Any] | Sequence[Mapping[str, Any]], width: int) -> RenderableType:
    """The list of methods, or one method."""
    return _one(found) if isinstance(found, Mapping) else _every(found)


def _every(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = grid("method", "images a task", "when to take it", names=("method",), folds=("when to take it",))
    for method in found:
        table.add_row(method["name"], number(method["samples_per_task"]), method["when"])
    hint = line("munet methods NAME shows all settings; --budget, --time and --set name=value change them", "dim")
    return Group(table, line(""), hint)


def _one(method: Mapping[str, Any]) -> RenderableType:
    table = grid("setting", "value", "source", names=("setting",), folds=("value", "source"))
    for setting in method["settings"]:
        value = setting["value"]
        several = isinstance(value, tuple | list | Mapping)
        text = " ".join(value_text(item) for item in value) or NOTHING if several else value_text(value)
        table.add_row(setting["name"], Text(text), Text(clean(setting["source"])))
    legend = [line(clean(row), "dim") for row in method["legend"]]
    head = Text.assemble((clean(method["name"]), "bold"), f": {clean(method['source'])}")
    return Group(head, *legend, line(""), table)
