"""Sources in object stores and on web servers: copied once, noticed when changed, read without a network afterwards."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("obstore")

import obstore
from obstore.exceptions import GenericError, PermissionDeniedError
from obstore.store import MemoryStore

from munet import tasks
from munet.errors import InputError
from munet.fs.cache import cache_folder
from munet.tasks.sources import fetching, open_source
from munet.tasks.sources.fetching import seen_from
from sources_tools import refused

RNG = np.random.default_rng(0)


def png(seed: int) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (8, 8), np.uint8)).save(data, "PNG")
    return data.getvalue()


def npz(seed: int, count: int = 60) -> bytes:
    data = io.BytesIO()
    images = np.random.default_rng(seed).integers(0, 255, (count, 8, 8), np.uint8)
    np.savez(data, image=images, label=np.arange(count) % 3)
    return data.getvalue()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder; stores are asked at each opening."""
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path / "cache"))
    copies: dict[str, fetching._Copy] = {}
    monkeypatch.setattr(fetching, "_copies", copies)
    monkeypatch.setattr(fetching, "_FRESH", -1.0)
    yield tmp_path / "cache" / "sources"
    for copy in copies.values():
        os.close(copy.held)


@pytest.fixture
def store(cache: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """What every address names."""
    made = MemoryStore()
    monkeypatch.setattr(fetching, "store_at", lambda address, patient: made)
    return made


def fail(error: Exception) -> Callable[..., Any]:
    def failing(*given: Any, **more: Any) -> Any:
        raise error

    return failing


def test_an_archive_is_read_changed_and_read_without_a_network(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    obstore.put(store, "sets/digits.npz", npz(1))
    record = tasks.add("t", "npz:s3://bucket/sets/digits.npz")
    assert record["source"] == "npz:s3://bucket/sets/digits.npz"
    assert tasks.load(record, "train").images.shape == (54, 8, 8, 1)
    with monkeypatch.context() as offline:
        offline.setattr(fetching, "store_at", fail(GenericError("no route to host")))
        assert tasks.load(record, "test").images.shape == (3, 8, 8, 1)
    obstore.put(store, "sets/digits.npz", npz(2))
    with pytest.raises(InputError, match="changed since it was added"):
        tasks.load(record, "train")


def test_what_is_copied_is_told_in_megabytes(store: MemoryStore) -> None:
    images = np.random.default_rng(0).integers(0, 255, (60, 200, 300), np.uint8)
    data = io.BytesIO()
    np.savez(data, image=images, label=np.arange(60) % 3)
    obstore.put(store, "x.npz", data.getvalue())
    told: list[tuple[int, int]] = []
    tasks.add("t", "npz:s3://bucket/x.npz", progress=lambda done, total: told.append((done, total)))
    copied = told[: told.index((4, 4)) + 1]
    assert copied == sorted(copied)
    assert told[-1] == (60, 60), "then images"
    told.clear()
    open_source("npz:s3://bucket/x.npz", progress=lambda done, total: told.append((done, total)))
    assert told == [], "nothing is copied again"


def test_a_folder_and_what_changed_in_it_alone_is_fetched(
    store: MemoryStore, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        obstore.put(store, f"pets/{'cat' if number % 2 else 'dog'}/{number}.png", png(number))
    obstore.put(store, "pets-of-others/x.png", b"?")
    obstore.put(store, "pets/.hidden/x.png", b"?")
    record = tasks.add("pets", "folder:gs://bucket/pets")
    assert record["classes"] == ["cat", "dog"]
    assert len(list(cache.rglob("*.png"))) == 60
    fetched: list[str] = []
    download = fetching._download
    monkeypatch.setattr(
        fetching, "_download", lambda store, key, *more: (fetched.append(key), download(store, key, *more))
    )
    obstore.put(store, "pets/cat/1.png", b"no image")
    obstore.delete(store, "pets/dog/2.png")
    with pytest.raises(InputError, match=r"^gs://bucket/pets/cat/1\.png: not an image"):
        tasks.add("again", "folder:gs://bucket/pets")
    assert fetched == ["pets/cat/1.png"]
    assert len(list(cache.rglob("*.png"))) == 59


def test_a_table_and_the_images_below_it(store: MemoryStore) -> None:
    rows = "\n".join(f"{number:03d},{'cat' if number % 2 else 'dog'}" for number in range(60))
    obstore.put(store, "set/labels.csv", f"image,label\n{rows}\n".encode())
    for number in range(60):
        obstore.put(store, f"set/images/{number:03d}.png", png(number))
    obstore.put(store, "set/huge.bin", b"0" * 1000)
    record = tasks.add("t", "csv:az://container/set/labels.csv?root=images")
    assert record["source"] == "csv:az://container/set/labels.csv?root=images&image=image&label=label"
    assert tasks.load(record, "train").images.shape == (52, 8, 8, 1)
    assert not list(cache_folder().rglob("huge.bin"))  # root= says where the images are
    refused("csv:az://container/set/labels.csv?root=../images", "root=../images", "below the table")
    refused("csv:az://container/set/labels.csv?root=im//ages", "set/im//ages", "empty path segment")


@pytest.mark.parametrize(
    ("root", "seen"), [("set/images/", "images"), ("set/a/b", "a/b"), ("set", ""), ("sets/a", None), ("other", None)]
)
def test_root_as_an_address_is_seen_from_the_table(root: str, seen: str | None) -> None:
    if seen is None:
        with pytest.raises(InputError, match=r"must lie below s3://lab/set, the folder of the table"):
            seen_from("s3://lab/set/labels.csv", f"s3://lab/{root}")
    else:
        assert seen_from("s3://lab/set/labels.csv", f"s3://lab/{root}") == seen


def test_the_images_of_a_table_may_be_named_by_their_whole_address(store: MemoryStore, tmp_path: Path) -> None:
    for number in range(60):
        obstore.put(store, f"set/images/{number:03d}.png", png(number))
    table = "\n".join(["image,label", *(f"{number:03d},{number % 2}" for number in range(60))])
    obstore.put(store, "set/labels.csv", table.encode())
    record = tasks.add("t", "csv:az://container/set/labels.csv?root=az://container/set/images")
    assert record["source"].endswith("labels.csv?root=images&image=image&label=label")
    here = tmp_path / "labels.csv"
    here.write_text(table)
    refused(f"csv:{here}?root=s3://lab/images", "the table is on this machine", "csv:s3://lab/images/TABLE")


def test_what_cannot_be_had_is_one_line(store: MemoryStore, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused("npz:s3://bucket/none.npz", "s3://bucket/none.npz: there is no such object")
    refused("npz:s3://bucket/a.npz?X-Amz-Signature=1", "no passwords, signatures or queries")
    refused("npz:https://me:secret@host/a.npz", "no passwords")
    obstore.put(store, "a.npz", npz(1))
    obstore.put(store, "b.npz", b"no archive")
    refused("npz:s3://bucket/b.npz", "s3://bucket/b.npz")
    monkeypatch.setenv("MUNET_CACHE_SIZE", "1000")
    refused("npz:s3://bucket/a.npz", "s3://bucket/a.npz: ", "may hold", "MUNET_CACHE_SIZE")
    monkeypatch.delenv("MUNET_CACHE_SIZE")
    monkeypatch.setattr(obstore, "head", fail(PermissionDeniedError("403 Forbidden")))
    refused("npz:s3://bucket/a.npz", "may not be read with these credentials", "AWS_ACCESS_KEY_ID")
    monkeypatch.setattr(obstore, "head", fail(GenericError("no route to host")))
    refused("npz:s3://bucket/a.npz", "no route to host", "credentials")


def test_copies_that_nobody_uses_make_room(store: MemoryStore, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        obstore.put(store, f"{name}.npz", npz(ord(name)))
    size = len(npz(1))
    monkeypatch.setenv("MUNET_CACHE_SIZE", str(2 * size + 100))
    open_source("npz:s3://bucket/a.npz")
    os.close(fetching._copies.popitem()[1].held)  # as if the process had ended
    (cache / "0123").mkdir()  # what a killed process left
    open_source("npz:s3://bucket/b.npz")
    assert not (cache / "0123").exists()
    open_source("npz:s3://bucket/c.npz")
    assert sorted(file.name for file in cache.rglob("*.npz")) == ["b.npz", "c.npz"]


@pytest.fixture
def web(tmp_path: Path, cache: Path) -> Iterator[tuple[Path, str]]:
    """A folder that a web server shows, and its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    root = tmp_path / "web"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield root, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_table_on_a_web_server_and_the_files_that_it_names(web: tuple[Path, str]) -> None:
    root, address = web
    (root / "my set" / "images").mkdir(parents=True)
    rows = [f"images/{number}.png,{'cat' if number % 2 else 'dog'}" for number in range(24)]
    (root / "my set" / "train.csv").write_text("\n".join(["file,label", *rows, "images/none.png,cat"]))
    for number in range(24):
        (root / "my set" / "images" / f"{number}.png").write_bytes(png(number))
    source = f"csv:{address}/my%20set/train.csv"
    with pytest.raises(InputError, match=r"none\.png"):
        tasks.add("t", source)
    record = tasks.add("t", source, tasks.TaskOptions(skip_bad=True))
    assert sum(record["splits"][part]["examples"] for part in record["splits"]) == 24
    refused(f"folder:{address}/my%20set", "a web server does not list its files")
    refused(f"npz:{address}/none.npz", f"{address}/none.npz: there is no such file")
