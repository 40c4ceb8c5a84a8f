"""Layouts and tables as people have them, put together at random: read right to the last image, or refused in one line.

MUNET_EXAMPLES=2000 tries 2,000 of each.
"""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from examples import examples
from munet.errors import InputError
from munet.store.schema import TaskData
from munet.tasks.record import TaskOptions, add
from munet.tasks.sources import open_source

_HEAD = b"P5 2 1 255\n"  # an image of two grey pixels
PARTS = ("train", "validation", "test")
STYLES = (
    ("train", "val", "test"),
    ("Train", "Valid", "Test"),
    ("TRAINING", "VALIDATION", "TESTING"),
    ("train_set", "dev_set", "test_set"),
    ("seg train", "seg_val", "seg_test"),
    ("01-train", "02-val", "03-test"),
    ("TrainImages", "ValImages", "TestImages"),
    ("pets train", "pets val", "pets test"),
)
CLASSES = ("cat", "dog", "Ärger", "1", "02", "train station", "test tube", "n0144", "a.b", "part", "rose (red)")
BESIDE = (
    "__MACOSX/cat/._0.pgm",
    "unlabelled/0.pgm",
    "README.md",
    "models/",
    ".git/x",
    "labels.txt",
    "sample/train/0.pgm",
)


def image(number: int) -> bytes:
    return _HEAD + bytes((number // 251, number % 251))


def in_scratch(test: Callable[[Path], None]) -> None:
    folder = Path(mkdtemp(prefix="generated-"))
    try:
        test(folder)
    finally:
        shutil.rmtree(folder)


def refusal(action: Callable[[], object]) -> str:
    """The one line that an action ends with; nothing where it does not."""
    try:
        action()
    except InputError as error:
        return str(error)
    return ""


def add_in_one_line(address: str, options: TaskOptions) -> None:
    """A task of `address` that opens again, or a refusal of one line."""
    records: list[TaskData] = []
    assert "\n" not in refusal(lambda: records.append(add("t", address, options)))
    for record in records:
        again = open_source(record["source"])
        assert all(len(again.labels(split)) == count for split, count in again.counts().items())


@settings(max_examples=examples(40), deadline=None)
@given(
    style=st.sampled_from(STYLES),
    held=st.sets(st.sampled_from(PARTS[1:])),
    above=st.lists(st.sampled_from(["data", "x", "archive 1"]), max_size=2),
    twice=st.booleans(),
    below=st.sampled_from(["", "2019", "images"]),
    classes=st.sets(st.sampled_from(CLASSES), min_size=2, max_size=5),
    beside=st.sets(st.sampled_from(BESIDE)),
    each=st.integers(1, 4),
)
def test_split_layouts(
    style: tuple[str, ...],
    held: set[str],
    above: list[str],
    twice: bool,
    below: str,
    classes: set[str],
    beside: set[str],
    each: int,
) -> None:
    assume(held or " " not in style[0])  # one `pets train` alone may be a class

    def test(start: Path) -> None:
        root = start.joinpath(*above)
        number = 0
        for part, name in zip(PARTS, style, strict=True):
            if part not in {"train", *held}:
                continue
            for label in classes:
                place = root / name / (name if twice else "") / label / below
                place.mkdir(parents=True)
                for _ in range(each):
                    (place / f"{number}.pgm").write_bytes(image(number := number + 1))
        for name in beside:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                (root / name).mkdir()
            else:
                (root / name).write_bytes(image(7) if name.endswith("pgm") else b"x")
        source = open_source(f"folder:{start}")
        source.refuse_doubtful()
        assert set(source.classes) == classes, source.notes()
        assert source.counts() == {part: each * len(classes) for part in PARTS if part in {"train", *held}}
        add_in_one_line(f"folder:{start}", TaskOptions())

    in_scratch(test)


HEADS = (("image", "label"), ("File Name", "Class"), ("img_id", "diagnosis"), ("path", "Species"), ("id", "category"))


@settings(max_examples=examples(40), deadline=None)
@given(
    head=st.sampled_from(HEADS),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    above=st.sampled_from(["", "sep={}\n", "# a comment\n"]),
    written=st.sampled_from(["{}", "{}.pgm", "images/{}.pgm", "C:\\set\\images\\{}.PGM", "/home/me/images/{}.pgm"]),
    more=st.lists(st.sampled_from(["width", "note", "x1", "Unnamed: 0"]), unique=True, max_size=3),
    labels=st.lists(st.sampled_from(["cat", "Mücke", "dog, big", "7", "NA", "a;b"]), min_size=6, max_size=20),
    splits=st.sampled_from(["", "split", "is_test"]),
)
def test_tables(
    head: tuple[str, str],
    delimiter: str,
    encoding: str,
    ending: str,
    quoting: int,
    above: str,
    written: str,
    more: list[str],
    labels: list[str],
    splits: str,
) -> None:
    def test(start: Path) -> None:
        (start / "images").mkdir()
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ending)  # type: ignore[arg-type]
        writer.writerow([*more, *head, *([splits] if splits else [])])
        expected: dict[str, dict[str, str]] = {}
        for row, label in enumerate(labels):
            (start / "images" / f"im{row:03d}.pgm").write_bytes(image(row))
            held = row % 3 == 0 and bool(splits)
            held_by = {"": [], "split": ["Test" if held else "Train"], "is_test": [str(held)]}[splits]
            writer.writerow(
                [*(str(row * 3 + k) for k in range(len(more))), written.format(f"im{row:03d}"), label, *held_by]
            )
            if label != "NA" or set(labels) != {"7", "NA"}:  # beside numbers it is no label
                expected.setdefault("test" if held else "train", {})[f"im{row:03d}"] = label
        (start / "t.csv").write_bytes((above.format(delimiter) + text.getvalue()).encode(encoding))
        address = f"csv:{start}/t.csv"
        if said := refusal(lambda: open_source(address)):  # one class alone, or "a;b" beside what may be its parts
            assert "\n" not in said
            assert len(set(labels)) == 1 or "several labels" in said, said
            return
        source = open_source(address)
        found = {
            split: {
                Path(source.name(split, row)).stem: source.classes[label]
                for row, label in enumerate(source.labels(split))
            }
            for split in source.counts()
        }
        assert found == expected
        add_in_one_line(address, TaskOptions(rare="keep"))

    in_scratch(test)
