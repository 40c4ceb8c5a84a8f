"""Whatever a table or a folder holds, opening it gives a source or one line, never another error."""

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from munet.errors import InputError
from munet.tasks.record import add
from munet.tasks.sources import open_source

# One grey pixel as PGM: small, and quick to write.
PIXEL = b"P5 1 1 255\n"
NAMES = st.sampled_from(
    ["a", "b.pgm", "train", "Test", "val", "fold_1", "fold_2", "images", "x y", "é", "part 1", ".h", "1"]
)
CELLS = st.one_of(
    st.sampled_from(["0.pgm", "1", "2.pgm", "cat", "dog", "train", "Val", "", "0", "1.0", "a|b", '"', "a;b", "\t"]),
    st.text(max_size=6),
)


def tried(address: str) -> None:
    """Use a source as far as `add` does."""
    with suppress(InputError):
        source = open_source(address)
        for split, count in source.counts().items():
            assert len(source.labels(split)) == count == len(list(source.items(split, 0, count)))
            assert set(source.labels(split).tolist()) <= set(range(len(source.classes)))
        again = open_source(source.address)
        assert (again.counts(), again.classes) == (source.counts(), source.classes)
        add("odd", address)


def scratch() -> Path:
    return Path(mkdtemp(prefix="odd-"))


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8),
    st.sampled_from([",", ";", "\t", " ", "|"]),
    st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.json"]),
    st.booleans(),
)
def test_any_table(rows: list[list[str]], delimiter: str, name: str, named: bool) -> None:
    folder = scratch()
    try:
        for number in range(4):
            (folder / f"{number}.pgm").write_bytes(PIXEL + bytes([number]))
        lines = ([["image", "label", "split", "more"]] if named else []) + rows
        text = "\n".join(delimiter.join(row) for row in lines)
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        tried(f"csv:{folder / name}")
    finally:
        shutil.rmtree(folder)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=12))
def test_any_folder(paths: list[list[str]]) -> None:
    folder = scratch()
    try:
        for number, parts in enumerate(paths):
            parent = folder.joinpath(*parts)
            if all(not path.is_file() for path in (parent, *parent.parents)):
                parent.mkdir(parents=True, exist_ok=True)
                (parent / f"{number % 3}.pgm").write_bytes(PIXEL + bytes([number]))
        tried(f"folder:{folder}")
        tried(f"folder:{folder}?pattern=**/{{class}}/*")
        tried(f"folder:{folder}?level=2")
    finally:
        shutil.rmtree(folder)
