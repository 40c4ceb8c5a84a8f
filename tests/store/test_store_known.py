"""What was found whole is not checked again, and what changed since is."""

import json
from pathlib import Path
from typing import Any

import pytest

from munet.errors import DamagedError
from munet.store import reading
from munet.store.known import Known
from munet.store.records import RecordError
from store_tools import changed, make_store, put_child, task_record


def test_the_same_bytes_are_checked_once_and_everyone_has_a_copy():
    checked: list[bytes] = []

    def check(data: bytes) -> dict[str, Any]:
        checked.append(data)
        return json.loads(data)

    known, data = Known(), b'{"a":[1,2.5,"\\u00e4",null,true],"b":{}}'
    first, second = known.read(data, check), known.read(bytes(bytearray(data)), check)
    assert first == second == json.loads(data)
    assert checked == [data]
    second["a"].append(3)
    assert known.read(data, check) == first


def test_what_is_wrong_is_not_remembered():
    def refuse(data: bytes) -> dict[str, Any]:
        raise RecordError("is wrong")

    known = Known()
    for _ in range(2):
        with pytest.raises(RecordError):
            known.read(b"{}", refuse)
    assert known.read(b"{}", lambda data: {"now": 1}) == {"now": 1}


def test_it_remembers_no_more_than_it_may():
    known, checked = Known(most=2000), list[int]()

    def read(number: int, size: int) -> None:
        data = json.dumps({"n": number, "x": "x" * size}).encode()
        known.read(data, lambda data: checked.append(number) or json.loads(data))

    for number in (1, 2, 3, 1):  # each takes more than a third
        read(number, 400)
    assert checked == [1, 2, 3, 1], "the oldest had gone"
    read(4, 5000)
    read(1, 400)
    assert checked == [1, 2, 3, 1, 4], "what is larger than all of it pushes nothing out"


def test_a_record_is_checked_once_by_a_store_and_again_when_its_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store, checked, real = make_store(tmp_path / "s"), list[str](), reading.wrong_type
    store.create_task(task_record("a", classes=["one"]))

    def counted(value: Any, schema: Any) -> str | None:
        checked.append(value["name"])
        return real(value, schema)

    monkeypatch.setattr(reading, "wrong_type", counted)
    record = store.read_task("a")
    record["classes"].append("not on the disk")
    assert store.read_task("a") == task_record("a", classes=["one"])
    assert checked == ["a"]
    store.write_task(changed(store.read_task("a"), model=store.root))
    assert store.read_task("a")["model"] == store.root
    assert checked == ["a", "a"]
    path = store.task_path("a")
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"name":"a"', b'"name":"b"'))
    with pytest.raises(DamagedError, match="does not match the checksum"):
        store.read_task("a")
    path.write_bytes(data)
    assert store.read_task("a")["model"] == store.root


def test_a_manifest_that_was_damaged_since_is_told(tmp_path: Path):
    store = make_store(tmp_path / "s")
    model = put_child(store, "a", store.root, "x")
    manifest = store.get_model(model)
    manifest["layers"].clear()
    assert store.get_model(model)["layers"]
    path = store.models.path(model)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":0'))
    with pytest.raises(DamagedError):
        store.get_model(model)
