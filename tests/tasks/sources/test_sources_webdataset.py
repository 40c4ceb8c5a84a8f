"""WebDataset shards: what is read, by which names, and one line for shards that are damaged, packed or lying."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet import tasks
from munet.errors import InputError
from munet.tasks import TaskOptions
from munet.tasks.images import decode_image
from munet.tasks.sources import open_source
from munet.tasks.sources.base import Source

PIXELS = np.random.default_rng(0).integers(2, 255, (60, 6, 6, 3), dtype=np.uint8)


def png(row: int) -> bytes:
    held = io.BytesIO()
    Image.fromarray(PIXELS[row]).save(held, "PNG")
    return held.getvalue()


def shard(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def samples(rows: range, **files: Any) -> dict[str, bytes]:
    """`files` by suffix, each a function of the row, beside the images."""
    return {
        f"{row:04d}.{kind}": content(row)
        for row in rows
        for kind, content in {"png": png, **files}.items()
        if content(row) is not None
    }


def cls(row: int) -> bytes:
    return b"%d\n" % (row % 2)


def refused(address: str, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        tasks.add("odd", address)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def pixels(source: Source, split: str, row: int) -> np.ndarray:
    [item] = source.items(split, row, row + 1)
    assert isinstance(item, bytes)
    return decode_image(item)


def test_shards_of_splits(tmp_path: Path) -> None:
    shard(tmp_path / "set-train-000000.tar", samples(range(20), cls=cls))
    shard(tmp_path / "set-train-000001.tar", samples(range(20, 40), cls=cls))
    shard(tmp_path / "set-val-000000.tar", samples(range(40, 50), cls=cls))
    shard(tmp_path / "test" / "0.tar", samples(range(50, 60), cls=cls))
    source = open_source(f"wds:{tmp_path}")
    assert source.counts() == {"train": 40, "validation": 10, "test": 10}
    assert source.classes == ("0", "1")
    assert source.labels("train").tolist() == [row % 2 for row in range(40)]
    for split, row, which in (("train", 33, 33), ("validation", 2, 42), ("test", 9, 59)):
        np.testing.assert_array_equal(pixels(source, split, row), PIXELS[which])
    assert source.name("train", 33) == f"{tmp_path}/set-train-000001.tar 0033"
    assert source.notes() == []


def test_a_range_of_shards_and_a_task_of_it(tmp_path: Path) -> None:
    for number in range(3):
        shard(tmp_path / f"train-{number:03d}.tar", samples(range(20 * number, 20 * number + 20), cls=cls))
    address = f"wds:{tmp_path}/train-{{000..001}}.tar"
    record = tasks.add("t", address, TaskOptions(train="train[10:]", validation="train[:5]", test="train[5:10]"))
    assert record["splits"]["train"]["examples"] == 30
    np.testing.assert_array_equal(tasks.load(record, "test").images, PIXELS[5:10])
    refused(f"wds:{tmp_path}/train-{{000..003}}.tar", "train-003.tar: there is no such file")
    refused(f"wds:{tmp_path}/train-{{3..1}}.tar", "{3..1} counts from")
    assert open_source(f"wds:{tmp_path}/train-002.tar").counts() == {"train": 20}


@pytest.mark.parametrize(
    ("kind", "content", "options"),
    [
        ("json", lambda row: json.dumps({"w": 6, "label": ["no", "yes"][row % 2]}).encode(), ""),
        ("json", lambda row: json.dumps({"label": 3, "kind": ["no", "yes"][row % 2]}).encode(), "?label=kind"),
        ("cls", lambda row: [b"no", b"yes"][row % 2], ""),
        ("txt", lambda row: [b"no", b"yes"][row % 2], "?label=txt"),
    ],
)
def test_where_labels_may_be(tmp_path: Path, kind: str, content: Any, options: str) -> None:
    file = shard(tmp_path / "a.tar", samples(range(40), **{kind: content}))
    source = open_source(f"wds:{file}{options}")
    assert source.classes == ("no", "yes")
    assert source.labels("train").tolist() == [row % 2 for row in range(40)]


def test_names_of_classes_beside_the_shards(tmp_path: Path) -> None:
    file = shard(tmp_path / "0.tar", samples(range(40), cls=cls))
    (tmp_path / "classnames.txt").write_text("tench\ngoldfish\nshark\n")
    assert open_source(f"wds:{tmp_path}").classes == ("tench", "goldfish", "shark")
    (tmp_path / "classnames.txt").write_text("tench\n")
    refused(f"wds:{file}", "0001: label 1, but there are 1 class names")


def test_samples_that_lack_something_are_unusable(tmp_path: Path) -> None:
    files = samples(range(40), cls=lambda row: None if row == 3 else cls(row))
    del files["0007.png"]
    file = shard(tmp_path / "a.tar", files | {"README": b"", ".hidden.png": b""})
    refused(f"wds:{file}?order=stored", "a.tar 0007: no image of this name", "--skip-bad")
    refused(f"wds:{file}?order=shuffled", "a.tar 000", "--skip-bad")
    record = tasks.add("t", f"wds:{file}", TaskOptions(skip_bad=True))
    assert record["skipped"] == 2


def test_what_is_not_clear_is_asked(tmp_path: Path) -> None:
    file = shard(tmp_path / "a.tar", samples(range(20), txt=cls))
    refused(f"wds:{file}", "no .cls file", "?label=txt", ".png, .txt")
    refused(f"wds:{file}?label=clas", "no 'clas'")
    two = shard(tmp_path / "b.tar", samples(range(20), cls=cls, **{"seg.png": png}))
    refused(f"wds:{two}", "several images (png, seg.png)", "?image=")
    np.testing.assert_array_equal(pixels(open_source(f"wds:{two}?image=seg.png"), "train", 4), PIXELS[4])
    refused(f"wds:{two}?image=jpg", "no file .jpg")
    refused(f"wds:{shard(tmp_path / 'c.tar', {'a.cls': b'1'})}", "no image in the shards")
    refused(f"wds:{shard(tmp_path / 'd.tar', {})}", "no sample")
    refused(f"wds:{tmp_path / 'none'}", "there is no such folder")
    bad = shard(tmp_path / "e.tar", samples(range(20), json=lambda row: b"[" * 200_000))
    refused(f"wds:{bad}", "0000.json: cannot be read as JSON")


# damage


def test_a_shard_that_is_cut_or_damaged(tmp_path: Path) -> None:
    whole = shard(tmp_path / "a.tar", samples(range(40), cls=cls)).read_bytes()
    file = tmp_path / "train.tar"
    for content in (b"", b"x" * 2000, whole[:700], whole[: len(whole) // 2 + 100]):
        file.write_bytes(content)
        refused(f"wds:{file}", str(file))
    damaged = bytearray(whole)
    damaged[1024 * 10 + 5] ^= 255  # in a header: what follows would be lost
    file.write_bytes(damaged)
    refused(f"wds:{file}", "no header at byte 10,240")
    end = len(whole.rstrip(b"\0"))
    file.write_bytes(whole[: end + -end % 512])
    assert open_source(f"wds:{file}").notes() == ["train.tar has no end mark: it may have been cut short"]


def test_a_packed_shard_says_what_to_do(tmp_path: Path) -> None:
    import gzip

    whole = shard(tmp_path / "a.tar", samples(range(40), cls=cls)).read_bytes()
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "train.tar.gz").write_bytes(gzip.compress(whole))
    refused(f"wds:{tmp_path / 'packed'}", "train.tar.gz", "gunzip")
    (tmp_path / "photos.zip").write_bytes(b"PK")
    refused(f"wds:{tmp_path / 'photos.zip'}", "an archive of another kind", "folder:DIR")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_gigabytes(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("a.png")
    member.size, member.type = 8 << 30, kind
    file = tmp_path / "a.tar"
    file.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + b"x" * 512)
    with file.open("r+b") as sparse:
        sparse.truncate(64 << 20)
    refused(f"wds:{file}", str(file), "not a tar file, or damaged")


def test_links_and_devices_in_a_shard_are_no_files(tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    with tarfile.open(file, "w") as tar:
        for name, kind in (("0.png", tarfile.SYMTYPE), ("1.png", tarfile.CHRTYPE), ("2.png", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/dev/zero"
            tar.addfile(member)
    refused(f"wds:{file}", "no sample")
