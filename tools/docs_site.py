"""What the site has beside docs/: the README as its first page, two more pages, links to files of the repository."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
_PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)")
_NAMED = re.compile(r"\[(?:docs/)?([\w/-]+)\.md\]\(")  # on a site pages are no files
_LIST = re.compile(r"^(?:[-*]|\d+\.) ")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages that lie above docs/ join those below it."""
    for name, page in _PAGES.items():
        front = "---\nhide: [navigation]\n---\n" if page == "index.md" else ""
        files.append(File.generated(config, page, content=front + (ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(text: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Links to files that are no pages lead to the repository; lists get the blank line that is needed here."""
    sources = {target: name for name, target in _PAGES.items()}
    source = ROOT / sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    linked = _LINK.sub(lambda found: _target(found.group(1), source, page.file.src_uri, config), text)
    return "\n".join(_spaced(_NAMED.sub(r"[\1](", linked).splitlines()))


def _target(link: str, source: Path, page: str, config: MkDocsConfig) -> str:
    """Where a link of the file `source`, which is `page` of the site, leads: to another page, or to the repository."""
    path = (source.parent / link).resolve()
    if not path.is_relative_to(ROOT) or not path.exists():
        return link  # mkdocs says that it leads nowhere
    name = path.relative_to(ROOT).as_posix()
    above = "../" * page.count("/")
    if name in _PAGES:
        return above + _PAGES[name]
    if name.startswith("docs/") and path.is_file():
        return above + name.removeprefix("docs/")
    return f"{config.extra['social'][0]['link']}/{'blob' if path.is_file() else 'tree'}/main/{name}"


def _spaced(lines: list[str]) -> list[str]:
    """A blank line before each list that begins below a paragraph: GitHub needs none."""
    spaced: list[str] = []
    fenced = False
    for line in lines:
        fenced ^= line.startswith("```")
        above = spaced[-1] if spaced else ""
        begins = _LIST.match(line) and above and not _LIST.match(above) and not above.startswith((" ", "#", "|"))
        spaced += ["", line] if begins and not fenced else [line]
    return spaced
