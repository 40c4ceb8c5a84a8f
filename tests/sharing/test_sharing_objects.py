"""Object stores, of which one in memory stands for all: conditions, lost answers, what others may have put there."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

obstore = pytest.importorskip("obstore", reason="obstore is not installed")
from obstore.store import LocalStore, MemoryStore  # noqa: E402

from cli_tools import Run  # noqa: E402
from munet.errors import DamagedError, InputError, StoreError  # noqa: E402
from munet.fs.bucket import Bucket  # noqa: E402
from munet.sharing.copying import Copied, copy_root, is_whole  # noqa: E402
from munet.sharing.exchange import Refused, exchange  # noqa: E402
from munet.sharing.objects import INDEX, ObjectPlace  # noqa: E402
from munet.sharing.remotes import address, existing, place_at  # noqa: E402
from munet.store import Store  # noqa: E402
from munet.store.fsck import fsck  # noqa: E402
from munet.store.records import seal  # noqa: E402
from sharing_tools import SECRET, fleet, new_task, place, retain, shared_state  # noqa: E402
from store_tools import layer_bytes  # noqa: E402

NAME = "memory:///fleet"


@pytest.fixture
def remote(mine: Store) -> ObjectPlace:
    return made(mine, MemoryStore())


def made(mine: Store, store: Any) -> ObjectPlace:
    there = ObjectPlace(Bucket(store, NAME))
    assert not there.open()
    there.mark(copy_root(place(mine), there, Copied()))
    return there


def files(remote: ObjectPlace) -> dict[str, bytes]:
    found = [meta["path"] for chunk in obstore.list(remote.bucket._store) for meta in chunk]
    return {path: bytes(obstore.get(remote.bucket._store, path).bytes()) for path in found}


def put(remote: ObjectPlace, path: str, data: bytes) -> None:
    obstore.put(remote.bucket._store, path, data)


def test_there_and_back(mine: Store, remote: ObjectPlace, tmp_path: Path) -> None:
    model = retain(mine, "flowers", "1")
    (outcome,) = exchange(place(mine), remote)
    assert (outcome.what, outcome.model) == ("new", model)
    assert [path for path in files(remote) if path.startswith("tasks/")] == ["tasks/flowers.json"]
    assert not any(SECRET.encode() in data for data in files(remote).values())
    other = fleet(tmp_path / "other")
    exchange(remote, place(other))
    assert shared_state(other) == shared_state(mine)
    better = retain(other, "flowers", "2", by="bob")
    assert exchange(place(other), remote)[0].what == "taken"
    assert exchange(remote, place(mine))[0].by == ("bob",)
    assert mine.read_task("flowers")["model"] == better


def test_nothing_is_sent_twice(mine: Store, remote: ObjectPlace) -> None:
    retain(mine, "flowers", "1")
    exchange(place(mine), remote)
    before, sent = files(remote), list[str]()
    real = remote.bucket.put
    remote.bucket.put = lambda key, data, mode: (sent.append(key), real(key, data, mode))[1]  # pyright: ignore
    assert exchange(place(mine), remote)[0].what == "same"
    assert (sent, files(remote)) == ([], before)
    retain(mine, "flowers", "2")
    exchange(place(mine), remote)
    assert sorted(key.partition("/")[0] for key in sent) == ["layers", "models", "pushes", "tasks"]


@pytest.mark.parametrize("lost", ["AlreadyExistsError", "PreconditionError"])
def test_an_answer_that_is_lost_after_the_write_landed_is_no_failure(
    mine: Store, remote: ObjectPlace, lost: str
) -> None:
    """The client tries again by itself, and is then told that somebody was faster: itself."""
    for tag in ("1", "2"):
        model = retain(mine, "flowers", tag)
        real, losses = remote.bucket.put, [True]

        def losing(key: str, data: bytes, mode: Any, real: Any = real, losses: list[bool] = losses) -> Any:
            mark = real(key, data, mode)
            return None if key.startswith("tasks/") and losses and losses.pop() else mark

        remote.bucket.put = losing  # pyright: ignore[reportAttributeAccessIssue]
        assert exchange(place(mine), remote)[0].model == model
        remote.bucket.put = real  # pyright: ignore[reportAttributeAccessIssue]
        assert set(known_there(remote)) == set(shared_state(mine)["flowers"]["retained"])


def known_there(remote: ObjectPlace) -> dict[str, Any]:
    record = remote.task("flowers").record
    return {} if record is None else dict(record.get("retained") or {})


def test_a_push_may_die_after_any_request_and_the_next_one_goes_on(mine: Store) -> None:
    model = retain(mine, "flowers", "1")

    class Dead(Exception):
        pass

    k, done = 0, False
    while not done:
        store, sent = MemoryStore(), list[str]()
        remote = made(mine, store)
        real = remote.bucket.put

        def dying(key: str, data: bytes, mode: Any, real: Any = real, sent: list[str] = sent, k: int = k) -> Any:
            if len(sent) == k:
                raise Dead
            sent.append(key)
            return real(key, data, mode)

        remote.bucket.put = dying  # pyright: ignore[reportAttributeAccessIssue]
        try:
            exchange(place(mine), remote)
            done = True
        except Dead:
            pass
        after = ObjectPlace(Bucket(store, NAME))
        after.open()
        if (record := after.task("flowers").record) is not None:
            assert is_whole(after, record["model"] or ""), f"dangling after {k} writes: {sent}"
        exchange(place(mine), after)
        assert after.task("flowers").record is not None
        assert is_whole(after, model)
        k += 1
    assert k > 4


class Careless(Bucket):
    """A store that writes whatever it is asked to."""

    def put(self, key: str, data: bytes, mode: Any) -> dict[str, str] | None:
        return super().put(key, data, "overwrite")


def test_a_store_that_ignores_conditions_is_found_out(remote: ObjectPlace) -> None:
    remote.bucket.refuse_unconditional()
    assert not any("probe" in path for path in files(remote))
    with pytest.raises(StoreError, match="only if nobody else had") as refused:
        Careless(remote.bucket._store, NAME).refuse_unconditional()
    assert refused.value.kind == "remote"


def test_a_store_that_cannot_replace_on_condition_can_only_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can only be read"):
        Bucket(LocalStore(str(tmp_path)), NAME).refuse_unconditional()


# -- what others may have put there -----------------------------------------------------------------------------------


@pytest.fixture
def hostile(mine: Store, remote: ObjectPlace, tmp_path: Path) -> tuple[ObjectPlace, Store, str]:
    model = retain(mine, "flowers", "1")
    exchange(place(mine), remote)
    return remote, fleet(tmp_path / "victim", "flowers"), model


def refused(remote: ObjectPlace, victim: Store, match: str) -> None:
    before = victim.read_task("flowers")
    with pytest.raises((Refused, DamagedError, StoreError), match=match):
        exchange(remote, place(victim))
    assert victim.read_task("flowers") == before


def head_of(mine: Store, model: str) -> str:
    head = mine.get_model(model)["layers"]["head"]
    return f"layers/{head[:2]}/{head[2:]}.safetensors"


def test_wrong_bytes_are_named(hostile: tuple[ObjectPlace, Store, str], mine: Store) -> None:
    remote, victim, model = hostile
    put(remote, head_of(mine, model), layer_bytes("another"))
    refused(remote, victim, "layers/.* holds other content")
    put(remote, head_of(mine, model), b"\xff" * 40)
    refused(remote, victim, "layers/.* is no layer")
    put(remote, head_of(mine, model), bytes(3 << 30 >> 8))
    refused(remote, victim, "layers/.*(has .* bytes|is no layer)")
    obstore.delete(remote.bucket._store, head_of(mine, model))
    refused(remote, victim, "layers/.* is missing: put layers/.* back there .*`munet fsck memory.*` names all")


def test_garbled_manifests_and_records_are_named(hostile: tuple[ObjectPlace, Store, str]) -> None:
    remote, victim, model = hostile
    path = f"models/{model[:2]}/{model[2:]}.json"
    whole = bytes(obstore.get(remote.bucket._store, path).bytes())
    put(remote, path, whole.replace(b"flowers", b"flowerz"))
    refused(remote, victim, "models/.* holds other content")
    put(remote, "tasks/flowers.json", b"{}")
    refused(remote, victim, "tasks/flowers.json is cut short")
    put(remote, "tasks/flowers.json", seal({"name": "flowers"}, "x"))
    refused(remote, victim, "is no such record: '.*' is missing")
    put(remote, "tasks/flowers.json", b" " * (9 << 20))
    refused(remote, victim, "tasks/flowers.json has 9437184 bytes")


def test_names_that_no_task_may_have_are_not_looked_at(hostile: tuple[ObjectPlace, Store, str]) -> None:
    remote, victim, model = hostile
    put(remote, "tasks/~x.json", b"{}")
    put(remote, INDEX, b'["../../etc/passwd", "flowers", 3]')
    remote.listed = False
    assert [outcome.model for outcome in exchange(remote, place(victim))] == [model]


def test_a_newer_format_is_said_to_be_one(remote: ObjectPlace) -> None:
    put(remote, "munet.json", b'{"format":2,"root":"x"}\n')
    with pytest.raises(StoreError, match=r"munet.json has format 2.*update munet") as newer:
        ObjectPlace(remote.bucket).open()
    assert newer.value.kind == "newer-format"
    put(remote, "munet.json", b'{"format":1,"root":"../x"}\n')
    with pytest.raises(DamagedError, match=r"munet.json should hold format 1 and a root id"):
        ObjectPlace(remote.bucket).open()


# -- a web server, which can only be read -----------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "www"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_a_web_server_holds_can_be_pulled(
    mine: Store, remote: ObjectPlace, web: tuple[Path, str], tmp_path: Path
) -> None:
    new_task(mine, "signs")
    model = retain(mine, "flowers", "1")
    exchange(place(mine), remote)
    for path, data in files(remote).items():
        (web[0] / path).parent.mkdir(parents=True, exist_ok=True)
        (web[0] / path).write_bytes(data)
    target = fleet(tmp_path / "target")
    outcomes = exchange(existing(web[1]), place(target))
    assert {outcome.task: outcome.model for outcome in outcomes} == {"flowers": model, "signs": None}
    there = place_at(web[1])
    assert isinstance(there, ObjectPlace)
    with pytest.raises(StoreError, match=r"can only be read: add it with --read-only, and push to another address$"):
        there.bucket.refuse_unconditional()


def test_a_folder_behind_a_web_server_is_cloned_as_the_docs_say(
    mine: Store, web: tuple[Path, str], tmp_path: Path, run: Run
) -> None:
    new_task(mine, "patients", private=True)
    shutil.copytree(mine.path, web[0] / "hub")
    target = fleet(tmp_path / "target")
    with pytest.raises(StoreError, match="write the list of their names there"):
        exchange(existing(f"{web[1]}/hub"), place(target))
    docs = Path(__file__).parents[2] / "docs" / "sharing.md"
    (line,) = [line.strip() for line in docs.read_text().splitlines() if line.endswith("> hub/index.json")]
    program = line.partition("python -c '")[2].partition("'")[0]
    status = run("status", web[0] / "hub", "--json")[1]
    index = subprocess.run([sys.executable, "-c", program], input=status, capture_output=True, text=True, check=True)
    (web[0] / "hub" / "index.json").write_text(index.stdout)
    assert [outcome.task for outcome in exchange(existing(f"{web[1]}/hub"), place(target))] == ["flowers"]
    assert fsck(Store.open(web[0] / "hub")).ok


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s4://bucket/fleet", "begins with s3://, gs://"),
        ("s3://key:secret@bucket/fleet", "no names or passwords"),
        ("ftp://host/fleet", "an address begins with"),
    ],
)
def test_addresses_of_other_kinds_are_refused_and_passwords_are_not_repeated(url: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        address(url)
    assert "secret" not in str(error.value)


def test_a_store_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from munet.sharing import remotes

    closed = obstore.store.from_url(
        "http://127.0.0.1:9/x", client_options={"allow_http": True}, retry_config={"max_retries": 0}
    )
    monkeypatch.setattr(remotes, "bucket_at", lambda url: Bucket(closed, url))
    with pytest.raises(StoreError, match=r"/x cannot be reached, http://127.0.0.1:9 refuses connections") as error:
        place_at("http://127.0.0.1:9/x")
    assert (error.value.kind, str(error.value).count("\n")) == ("remote", 0)
