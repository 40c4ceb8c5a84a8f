"""A system that format 1 wrote is opened, checked and continued by every later version, with the same ids."""

import hashlib
import json
import shutil
import struct
from pathlib import Path

import pytest

from golden_system import LAYERS, write
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.layer_file import id_of_bytes
from repo import DOCS
from store_tools import changed, files_of, put_child

GOLDEN = Path(__file__).with_name("golden")
PLACED = Path(__file__).with_name("golden_placed")  # the same with records that say their place, and a list of tasks
ROOT = "8d26392b64025f59a0364bc53d84862a72aafb48c36e539bd7c63d4fa9f4ab9e"
MODEL = "7f543e827bca6ecfaf3dd1707b7fa7cf98c71c96583c41639b70c43e78b53da7"
IDS = {
    "embedding": "96e2e85f7eb7f03705dd3b3cb7a84078fdfe87d0fcd9dfaefa047fbcc9c5625a",
    "cls": "3f2d629bacafeffecd8506be169bba140091c41fe850247ad42544b7231040b7",
    "posembed": "e488fe8d04195b0de2dc3eb65b3afc27589579dec71696008887e6cd69a73130",
    "block.0": "b90bb459544e724d0668e5887a2cf0dd677a014ba3a5fcb4fc28d1b3f9dcefb6",
    "norm": "63fee99b62907345f15c5577c44cc091bce5431e7947b10a430015b7ef4bea50",
    "head": "42296b422f3ae80765c08c2a22a6b10067ef8d5bab96a1d1d058c1f7fd1d7e83",
    "momentum": "539ba6eacd40c46c599936e362578d943cfe15edf180fddc454ff9a90897daeb",
}


@pytest.fixture(params=[GOLDEN, PLACED], ids=["0.1 without places", "0.1"])
def golden(tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    """A copy, for going on changes it."""
    return Store.open(shutil.copytree(request.param, tmp_path / "golden"))


def test_ids_of_layers_are_pinned():
    assert {slot: id_of_bytes(data) for slot, data in LAYERS.items()} == IDS


def test_it_opens_and_is_whole(golden: Store):
    assert golden.root == ROOT
    report = fsck(golden)
    assert report.ok
    assert (report.tasks, report.models, report.layers) == (1, 2, 7)
    assert golden.tasks() == ["digits"]
    assert golden.read_task("digits")["model"] == MODEL
    assert golden.read_task("digits")["classes"] == ["null", "eins", "zwölf"]
    assert golden.get_model(MODEL)["parent"] == ROOT
    assert golden.get_model(MODEL)["layers"] == {slot: id for slot, id in IDS.items() if slot != "momentum"}
    assert golden.run_files("0001") == ["digits-0000-0000.json", "finished.json", "run.json"]


def test_its_tensors_are_what_they_were(golden: Store):
    torch = pytest.importorskip("torch")
    head = golden.get_layer(IDS["head"])
    assert torch.equal(head["weight"], torch.tensor([3.0, 4.0]))
    assert torch.equal(head["bias"], torch.tensor([-1.0, 1.0]))
    assert golden.put_layer(head) == IDS["head"]  # today's writer agrees on the id


def test_it_goes_on(golden: Store):
    model = put_child(golden, "digits", MODEL, "next")
    golden.write_task(changed(golden.read_task("digits"), model=model))
    assert golden.new_run({}) == "0002"
    gc(golden)
    assert golden.has_model(MODEL)
    assert not golden.has_layer(IDS["head"])
    assert fsck(golden).ok


def test_today_writes_the_same_bytes(tmp_path: Path):
    """Not needed to read old systems, but a change here is a change of format."""
    store = write(tmp_path / "s")

    def contents(path: Path) -> dict[str, bytes]:
        files = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")]
        return {str(file.relative_to(path)): file.read_bytes() for file in files}

    assert contents(store.path) == contents(PLACED)
    assert files_of(store)


def test_a_reader_made_from_the_format_page_agrees():
    """Nothing of munet: only what docs/format.md says."""

    def read_layer(id: str) -> dict[str, tuple[float, ...]]:
        data = (GOLDEN / "layers" / id[:2] / f"{id[2:]}.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
        digest, tensors = hashlib.sha256(b"munet-layer-1\n"), {}
        for name in sorted(header):
            dtype, shape, (start, end) = (header[name][key] for key in ("dtype", "shape", "data_offsets"))
            digest.update(json.dumps([name, dtype, shape], separators=(",", ":")).encode() + b"\n" + body[start:end])
            tensors[name] = struct.unpack(f"<{shape[0]}f", body[start:end])
        assert digest.hexdigest() == id
        return tensors

    def read_model(id: str) -> dict:
        data = (GOLDEN / "models" / id[:2] / f"{id[2:]}.json").read_bytes()
        assert hashlib.sha256(data).hexdigest() == id
        return json.loads(data)

    def read_record(path: Path) -> dict:
        data = path.read_bytes()
        body = data[:-78] + b"}"
        assert hashlib.sha256(body).hexdigest() == json.loads(data)["sha256"]
        return json.loads(body)

    model = read_model(read_record(GOLDEN / "tasks" / "digits.json")["model"])
    assert read_layer(model["layers"]["head"]) == {"weight": (3.0, 4.0), "bias": (-1.0, 1.0)}
    assert read_model(model["parent"])["parent"] is None
    assert json.loads((GOLDEN / "munet.json").read_text())["root"] == model["parent"]
    assert [child["model"] for child in read_record(GOLDEN / "runs/0001/digits-0000-0000.json")["children"]] == [
        MODEL,
        None,
    ]


def test_the_worked_example_of_the_format_page():
    page = (DOCS / "format.md").read_text()
    stream = (
        "6d756e65742d6c617965722d310a"
        "5b2262696173222c22463332222c5b315d5d0a00000000"
        "5b22776569676874222c22463332222c5b315d5d0a0000803f"
    )
    assert stream in page.replace("\n    ", "")
    assert hashlib.sha256(bytes.fromhex(stream)).hexdigest() == IDS["norm"]
    assert IDS["norm"] in page
