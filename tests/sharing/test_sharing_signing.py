"""Heads of tasks that are signed, with the real ssh-keygen: what counts, what is refused, what nobody can forge."""

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from munet.errors import DamagedError, InputError, StoreError
from munet.fs import ssh_keygen
from munet.sharing.exchange import Outcome, Refused, exchange
from munet.sharing.remote_log import remote_log
from munet.sharing.renaming import Naming
from munet.sharing.signing import Required, required, sign
from munet.sharing.task import SharedTask
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.retained import history_of
from munet.store.schema import RetainedModel, SignedModel, TaskRecord
from munet.store.signatures import signed_by, statement
from sharing_tools import fleet, new_task, place, retain, shared_state
from ssh_keys import allow, make_key, needs_ssh_keygen
from store_tools import changed

pytestmark = needs_ssh_keygen


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("alice", "bob", "mallory")}


@pytest.fixture
def allowed(keys: dict[str, Path], tmp_path: Path) -> Path:
    return allow(tmp_path / "allowed_signers", keys["alice"], keys["bob"])


def pull(source: Store, target: Store, allowed: Path | None = None) -> list[Outcome]:
    asked = None if allowed is None else required(allowed, target)
    return exchange(place(source), place(target), required=asked)


def files(store: Store) -> dict[str, bytes]:
    return {
        str(file): file.read_bytes() for file in store.path.rglob("*") if file.is_file() and "lock" not in file.name
    }


def test_what_an_allowed_key_signed_comes_and_says_by_whom(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    model = retain(mine, "flowers", "1")
    assert [one.model for one in sign(mine, ["flowers"], keys["alice"])] == [model]
    assert sign(mine, ["flowers"], keys["alice"]) == [], "once"
    assert [one.what for one in pull(mine, theirs, allowed)] == ["taken"]
    assert [one.what for one in pull(mine, theirs, allowed)] == ["same"]
    record = theirs.read_task("flowers")
    assert record["model"] == model
    assert record.get("signatures") == mine.read_task("flowers").get("signatures")
    key = ssh_keygen.key_of(keys["alice"])
    assert signed_by(theirs, record, model) == [f"the key {key}"], "whose it is nobody has said there"
    assert fsck(theirs).ok
    second = retain(mine, "flowers", "2")
    assert signed_by(mine, mine.read_task("flowers"), second) == []


def test_what_is_signed_is_what_the_docs_say(mine: Store, keys: dict[str, Path], allowed: Path, tmp_path: Path) -> None:
    """docs/format.md: another program checks a signature by these rules."""
    model = retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["alice"])
    record = json.loads(mine.task_path("flowers").read_text())
    (said,) = record["signatures"][model]
    (tmp_path / "sig").write_text(said.pop("signature"))
    words = {"signs": "munet-head-1", "root": mine.root, "task": "flowers", "classes": record["classes"]}
    words |= {"fingerprint": record["fingerprint"], "model": model, "retained": said}
    text = json.dumps(words, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "alice@lab", "-n", "munet"]
    subprocess.run([*command, "-s", str(tmp_path / "sig")], input=text, check=True, capture_output=True)


def test_nobody_has_to_sign(mine: Store, theirs: Store) -> None:
    retain(mine, "flowers", "1")
    assert [one.what for one in pull(mine, theirs)] == ["taken"]
    assert "signatures" not in theirs.read_task("flowers")


def test_an_unsigned_head_is_refused_where_signatures_are_required(mine: Store, theirs: Store, allowed: Path) -> None:
    model = retain(mine, "flowers", "1")
    before = files(theirs)
    with pytest.raises(Refused, match=rf"model {model[:10]} of task 'flowers' is not signed.*ask alice") as refused:
        pull(mine, theirs, allowed)
    assert refused.value.kind == "signature"
    assert files(theirs) == before


def test_who_is_not_in_the_file_counts_as_nobody(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["mallory"])
    with pytest.raises(Refused, match="is not signed"):
        pull(mine, theirs, allowed)
    sign(mine, ["flowers"], keys["bob"])
    pull(mine, theirs, allowed)
    assert len(theirs.read_task("flowers").get("signatures", {}).popitem()[1]) == 1, "only bob's came along"


def test_a_key_that_is_no_longer_allowed_signs_nothing_new(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    first = retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["bob"])
    pull(mine, theirs, allowed)
    allow(allowed, keys["alice"])
    assert [one.what for one in pull(mine, theirs, allowed)] == ["same"], "what is here stays"
    retain(mine, "flowers", "2")
    sign(mine, ["flowers"], keys["bob"])
    with pytest.raises(Refused, match="is not signed"):
        pull(mine, theirs, allowed)
    assert theirs.read_task("flowers")["model"] == first


def test_a_signature_for_another_purpose_is_none(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    model = retain(mine, "flowers", "1")
    record = mine.read_task("flowers")
    entry = history_of(record)[model]
    command = ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(keys["alice"])]
    done = subprocess.run(command, input=statement(record, mine.root, model, entry), capture_output=True, check=True)
    put(mine, model, {**entry, "signature": done.stdout.decode()})
    with pytest.raises(Refused, match=r"the signature of alice@lab over model .* is bad"):
        pull(mine, theirs, allowed)


# -- tampering --------------------------------------------------------------------------------------------------------


def put(store: Store, model: str, *said: SignedModel) -> None:
    record = store.read_task("flowers")
    store.write_task({**record, "signatures": {**(record.get("signatures") or {}), model: list(said)}})


def history(**change: Any) -> Callable[[TaskRecord], dict[str, Any]]:
    """Another word in the history, about the retained model, than what was signed."""

    def changed(record: TaskRecord) -> dict[str, Any]:
        known, model = history_of(record), str(record["model"])
        return {"retained": {**known, model: {**known[model], **change}}}

    return changed


def signed(**change: Any) -> Callable[[TaskRecord], dict[str, Any]]:
    """The history and what was signed changed alike, under the old signature."""

    def changed(record: TaskRecord) -> dict[str, Any]:
        model = str(record["model"])
        said = [{**one, **change} for one in (record.get("signatures") or {})[model]]
        return {**history(**change)(record), "signatures": {model: said}}

    return changed


def too_sure(record: TaskRecord) -> dict[str, Any]:
    test = {**(record["test"] or {}), "temperature": 1e-6}
    return signed(test=test)(record)


def flipped(record: TaskRecord) -> dict[str, Any]:
    """One letter of the signature itself, where the signed bytes stand."""
    model = str(record["model"])
    (one,) = (record.get("signatures") or {})[model]
    lines = one["signature"].split("\n")
    lines[-4] = lines[-4][:20] + ("A" if lines[-4][20] != "A" else "B") + lines[-4][21:]
    return {"signatures": {model: [{**one, "signature": "\n".join(lines)}]}}


@pytest.mark.parametrize(
    "tamper",
    [
        history(replaces=["a" * 64]),
        history(by=["alice", "the president"]),
        signed(replaces=["a" * 64]),
        signed(by=["mallory"]),
        signed(test=None),
        too_sure,
        flipped,
        lambda record: {"fingerprint": "other images"},
        lambda record: {"classes": ["b", "a"]},
    ],
)
def test_nothing_that_was_signed_can_be_changed(
    mine: Store, tmp_path: Path, keys: dict[str, Path], allowed: Path, tamper: Callable[[TaskRecord], dict[str, Any]]
) -> None:
    retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["alice"])
    record = mine.read_task("flowers")
    mine.write_task(changed(record, **tamper(record)))
    target = fleet(tmp_path / "target")
    before = files(target)
    with pytest.raises(Refused, match=r"signature of alice@lab over .* is bad|is not signed, as it stands there"):
        pull(mine, target, allowed)
    assert files(target) == before, "nothing half written"


def test_a_signature_counts_for_its_own_model_task_and_root_only(
    mine: Store, tmp_path: Path, keys: dict[str, Path], allowed: Path
) -> None:
    first = retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["alice"])
    record = mine.read_task("flowers")
    (said,) = (record.get("signatures") or {})[first]
    second = retain(mine, "flowers", "2")
    put(mine, second, said)
    with pytest.raises(Refused, match=r"over model .* is bad"):
        pull(mine, fleet(tmp_path / "a"), allowed)
    told = SharedTask.of(record)
    assert Required(allowed, mine.root).passes(told, None, "there")
    assert not Required(allowed, "0" * 64).passes(told, None, "there")
    renamed = SharedTask.of(changed(record, name="weeds"))
    assert not Required(allowed, mine.root).passes(renamed, None, "there")


def test_what_nobody_signed_below_a_signed_head_is_not_taken_over(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    first = retain(mine, "flowers", "1")
    second = retain(mine, "flowers", "2")
    sign(mine, ["flowers"], keys["alice"])
    assert [one.what for one in pull(mine, theirs, allowed)] == ["taken"]
    assert list(history_of(theirs.read_task("flowers"))) == [second]
    assert theirs.has_model(first), "its manifest tells the lineage"
    assert [one.what for one in pull(mine, theirs, allowed)] == ["same"]


def test_an_unsigned_word_takes_no_head_away(
    tmp_path: Path, mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    """An old model that nobody signed is said to have replaced the signed model of somebody else."""
    old = retain(mine, "flowers", "old")
    pull(mine, theirs)
    newer = retain(mine, "flowers", "newer", accuracy=0.6)
    sign(mine, ["flowers"], keys["alice"])
    other = retain(theirs, "flowers", "other", accuracy=0.7, by="bob")
    sign(theirs, ["flowers"], keys["bob"])
    target = fleet(tmp_path / "target", "flowers")
    pull(theirs, target, allowed)
    record = mine.read_task("flowers")
    known = history_of(record)
    lie: RetainedModel = {**known[old], "replaces": [other]}
    mine.write_task(changed(record, retained={**known, old: lie}))
    pull(mine, target, allowed)
    assert target.read_task("flowers")["model"] == other
    assert SharedTask.of(target.read_task("flowers")).heads == sorted([newer, other])


def test_a_judgement_has_to_be_signed_too(mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path) -> None:
    a = retain(mine, "flowers", "a", accuracy=0.6)
    b = retain(theirs, "flowers", "b", accuracy=0.7, by="bob")
    sign(mine, ["flowers"], keys["alice"])
    sign(theirs, ["flowers"], keys["bob"])
    pull(theirs, mine, allowed)
    record = mine.read_task("flowers")
    known = history_of(record)
    judged: RetainedModel = {**known[a], "replaces": [b]}
    mine.write_task(changed(record, model=a, retained={**known, a: judged}))
    with pytest.raises(Refused, match=rf"model {a[:10]} .* is not signed, as it stands there"):
        pull(mine, theirs, allowed)
    assert theirs.read_task("flowers")["model"] == b
    sign(mine, ["flowers"], keys["alice"])
    pull(mine, theirs, allowed)
    assert theirs.read_task("flowers")["model"] == a


def test_what_is_known_here_needs_no_signature(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    """Somebody who does not sign himself pushes, and pulls from where others have to sign."""
    retain(mine, "flowers", "1")
    pull(mine, theirs)
    assert [one.what for one in pull(theirs, mine, allowed)] == ["same"]
    model = retain(theirs, "flowers", "2", by="bob")
    sign(theirs, ["flowers"], keys["bob"])
    assert [one.what for one in pull(theirs, mine, allowed)] == ["taken"]
    assert mine.read_task("flowers")["model"] == model


def test_a_record_of_an_older_version_can_be_signed(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    retain(mine, "flowers", "1")
    older = {key: value for key, value in mine.read_task("flowers").items() if key != "retained"}
    mine.write_task(older)  # pyright: ignore[reportArgumentType]
    sign(mine, ["flowers"], keys["alice"])
    assert [one.what for one in pull(mine, theirs, allowed)] == ["taken"]


@pytest.mark.parametrize(
    "text", ["no signature", "-----BEGIN SSH SIGNATURE-----\n$(rm)\n-----END SSH SIGNATURE-----\n", "x" * 30_000]
)
def test_what_is_no_signature_is_not_even_kept(mine: Store, theirs: Store, text: str) -> None:
    model = retain(mine, "flowers", "1")
    put(mine, model, {**history_of(mine.read_task("flowers"))[model], "signature": text})
    with pytest.raises(Refused, match=r"has signatures over .* that are none"):
        pull(mine, theirs)
    assert theirs.read_task("flowers")["model"] is None


# -- who signs what ---------------------------------------------------------------------------------------------------


def test_a_push_signs_what_was_trained_here_whatever_others_claim(
    mine: Store, theirs: Store, keys: dict[str, Path]
) -> None:
    retain(theirs, "flowers", "forged", by="alice")
    pull(theirs, mine)
    assert sign(mine, ["flowers"], keys["alice"], only_made_here=True) == [], "it says alice, and she never trained it"
    own = retain(mine, "flowers", "own")
    run = mine.new_run({})
    children = [{"child": 0, "model": own, "accepted": True}]
    record = {"format": 1, "task": "flowers", "iteration": 0, "generation": 0, "children": children}
    mine.write_run(run, "flowers-0000-0000.json", record)
    assert [one.model for one in sign(mine, ["flowers"], keys["alice"], only_made_here=True)] == [own]


def test_who_evolves_is_not_disturbed(mine: Store, keys: dict[str, Path]) -> None:
    retain(mine, "flowers", "1")
    before = mine.read_task("flowers")
    with mine.evolving("flowers"), pytest.raises(StoreError) as refused:
        sign(mine, ["flowers"], keys["alice"])
    assert refused.value.kind == "busy"
    assert mine.read_task("flowers") == before


def test_signatures_join_in_any_order(mine: Store, keys: dict[str, Path]) -> None:
    model = retain(mine, "flowers", "1")
    entry = history_of(mine.read_task("flowers"))[model]
    bare = SharedTask.of(mine.read_task("flowers"))
    others: list[SignedModel] = [{**entry, "signature": f"{number}"} for number in range(4)]
    parts = [SharedTask(bare.data, bare.retained, bare.iterations, {model: [one]}) for one in others] + [bare]
    results = list[SharedTask]()
    for seed in range(20):
        order = random.Random(seed).choices(parts, k=9) + parts
        random.Random(seed + 100).shuffle(order)
        joined = order[0]
        for part in order[1:]:
            joined = joined.joined(part)
        results.append(joined)
    assert all(one == results[0] for one in results)
    assert results[0].signatures == {model: others}


def test_a_log_of_a_remote_says_who_signed(mine: Store, theirs: Store, keys: dict[str, Path]) -> None:
    retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["alice"])
    told = remote_log(place(mine), place(theirs), None, lambda record, model: signed_by(theirs, record, model))
    assert [one.signed_by for one in told] == [[f"the key {ssh_keygen.key_of(keys['alice'])}"]]


def test_a_bad_signature_is_shown_as_bad(mine: Store, keys: dict[str, Path]) -> None:
    model = retain(mine, "flowers", "1")
    sign(mine, ["flowers"], keys["alice"])
    record = mine.read_task("flowers")
    assert signed_by(mine, changed(record, **signed(by=["mallory"])(record)), model) == ["nobody: the signature is bad"]


# -- what cannot sign -------------------------------------------------------------------------------------------------


def test_without_ssh_keygen_one_line_says_what_is_missing(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = retain(mine, "flowers", "not asked about before")
    sign(mine, ["flowers"], keys["alice"])
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="need the program ssh-keygen"):
        sign(mine, ["flowers"], keys["bob"])
    with pytest.raises(InputError, match="need the program ssh-keygen"):
        pull(mine, theirs, allowed)
    assert pull(mine, theirs)[0].model == model, "who requires none needs none"
    assert "no ssh-keygen here" in signed_by(mine, mine.read_task("flowers"), model)[0]


@pytest.mark.parametrize("name", ["missing", "folder", "text", "locked"])
def test_a_key_that_cannot_sign_is_named(
    mine: Store, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    retain(mine, "flowers", "1")
    before = files(mine)
    key = tmp_path / name
    if name == "folder":
        key.mkdir()
    elif name == "text":
        key.write_text("hello\n")
    elif name == "locked":
        make_key(tmp_path, name, passphrase="secret")
    with pytest.raises(InputError, match=str(key)):
        sign(mine, ["flowers"], key)
    assert files(mine) == before


def test_a_file_of_signers_that_cannot_be_read_is_named(mine: Store, theirs: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.*cannot be read"):
        pull(mine, theirs, tmp_path / "nowhere")


def test_a_record_with_signatures_is_damage_where_they_are_of_another_type(mine: Store) -> None:
    retain(mine, "flowers", "1")
    mine.write_task(changed(mine.read_task("flowers"), signatures={"x": [{"replaces": []}]}))
    with pytest.raises(DamagedError, match="signatures"):
        mine.read_task("flowers")


def test_state_is_alike_after_both_pulled(mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path) -> None:
    new_task(mine, "signs")
    retain(mine, "signs", "s")
    retain(mine, "flowers", "a")
    retain(theirs, "flowers", "b", by="bob")
    sign(mine, ["flowers", "signs"], keys["alice"])
    sign(theirs, ["flowers"], keys["bob"])
    pull(mine, theirs, allowed)
    pull(theirs, mine, allowed)
    assert shared_state(mine) == shared_state(theirs)
    assert mine.read_task("flowers").get("signatures") == theirs.read_task("flowers").get("signatures")


def test_under_another_name_what_is_signed_comes_and_its_signature_stays(
    mine: Store, theirs: Store, keys: dict[str, Path], allowed: Path
) -> None:
    """A signature binds the name of the task."""
    theirs.remove_task("flowers")
    retain(mine, "flowers", "1")
    how = {"required": required(allowed, theirs), "naming": Naming({"flowers": "hers"})}
    with pytest.raises(Refused, match="is not signed"):
        exchange(place(mine), place(theirs), **how)
    assert theirs.task_names() == []
    sign(mine, ["flowers"], keys["alice"])
    assert [one.what for one in exchange(place(mine), place(theirs), **how)] == ["new"]
    assert [one.what for one in exchange(place(mine), place(theirs), **how)] == ["same"]
    assert "signatures" not in theirs.read_task("hers")
    assert len(sign(theirs, ["hers"], keys["bob"])) == 1
