"""Which module of a package imports which: all imports, also those in functions and for type checkers only."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Arrows = dict[str, set[str]]


def arrows(folder: Path) -> Arrows:
    """module -> modules of the same package that it imports; `folder` is the package. A stub counts as its module."""
    paths = {_name(path, folder): path for path in folder.rglob("*.py")}
    found: Arrows = {name: set(_imported(path, name, paths)) - {name} for name, path in paths.items()}
    for stub in folder.rglob("*.pyi"):
        name = _name(stub, folder)
        found[name] |= set(_imported(stub, name, paths)) - {name}
    return found


def _name(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path, name: str, known: Iterable[str]) -> Iterator[str]:
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield from (target for target in (whole if whole in known else module,) if target in known)


def circle(found: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first once more at the end; empty if there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def layers_of(page: str) -> dict[str, int]:
    """part -> row of the table of layers on a page, 0 at the top: its rows look like `| 3 | \\`system\\` | ... |`."""
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("|")]
    numbered = [(int(number), parts) for number, parts in rows if number.strip().isdigit()]
    return {part.strip(" `/"): number for number, parts in numbered for part in parts.split(",")}


def upward(found: Mapping[str, set[str]], layers: Mapping[str, int]) -> list[str]:
    """Imports from one part of the package to another that is not on a lower row. KeyError for an unlisted part."""
    pairs = [(a, b) for a, targets in found.items() for b in targets if _part(a) != _part(b)]
    return sorted(f"{a} -> {b}" for a, b in pairs if layers[_part(a)] >= layers[_part(b)])


def _part(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]
