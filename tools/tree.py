"""Write the tree of src/munet on docs/design.md: one line a file, the first sentence of its docstring."""

import ast
import re
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PAGE, PACKAGE = REPO / "docs" / "design.md", REPO / "src" / "munet"
BEGIN, END = "<!-- tree: written by `make tree` -->\n", "<!-- end of the tree -->\n"
_WIDTH = 120
_END_OF_SENTENCE = re.compile(r"(?<!\bsec)(?<!\beq)(?<!\bal)(?<!\bFig)[.?](?=\s|$)")


def tree(package: Path) -> str:
    """Every package and module below `package`, folders after the files beside them."""
    return "\n".join(["```", *_lines(package, 0), "```"]) + "\n"


def _lines(folder: Path, depth: int) -> list[str]:
    entries = sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name))
    modules = [path for path in entries if path.suffix == ".py" and path.name != "__init__.py"]
    lines = [_line(f"{folder.name}/", depth, _sentence(folder / "__init__.py"))]
    lines += [_line(path.name, depth + 1, _sentence(path)) for path in modules]
    for inner in entries:
        if (inner / "__init__.py").is_file():
            lines += _lines(inner, depth + 1)
    return lines


def _line(name: str, depth: int, sentence: str) -> str:
    line = f"{'  ' * depth + name:28} {sentence}"
    return line if len(line) <= _WIDTH else line[: _WIDTH - 2].rsplit(" ", 1)[0] + " …"


def _sentence(module: Path) -> str:
    text = " ".join((ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "").split("\n\n")[0].split())
    return _END_OF_SENTENCE.split(text, maxsplit=1)[0]


def renewed(page: str, package: Path) -> str:
    """The page with the tree as it is now between the two marks. ValueError where a mark is missing."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + tree(package) + END + after


def main() -> int:
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), PACKAGE), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
