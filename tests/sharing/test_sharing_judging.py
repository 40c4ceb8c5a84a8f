"""Models that two people evolved at the same time, measured on the images of a third."""

import shutil
from pathlib import Path

import pytest

import munet
from cli_tools import Run
from golden_ids import images
from growing import evolve
from munet.errors import InputError
from munet.sharing.exchange import exchange
from munet.sharing.judging import judge
from munet.store.retained import heads, history_of
from sharing_tools import fleet, place, retain

QUICK = {"method": "head-only", "threads": 1, "executor": "local"}


@pytest.fixture
def both(tmp_path: Path) -> tuple[munet.System, str, str]:
    """A system with two heads of one task: what really was trained, and one that claims to be better. (system, good,
    boastful)"""
    system = munet.System.create(tmp_path / "mine", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(tmp_path / "bars", 3)
    system.add_task("bars", f"npz:{tmp_path / 'bars'}")
    other = munet.System.open(shutil.copytree(system.path, tmp_path / "theirs"))
    evolve(system, **QUICK)
    good = str(system.task("bars")["model"])
    manifest = system.manifest("bars")
    layers = {**manifest["layers"], "head": _useless_head(other, system.models.layer(manifest["layers"]["head"]))}
    for layer in manifest["layers"].values():
        other.store.put_layer_bytes(system.store.get_layer_bytes(layer))
    metrics = {**manifest["metrics"], "validation_accuracy": 1.0, "validation_examples": 10**6}
    with other.store.commit():
        boastful = other.store.put_model({**manifest, "layers": layers, "metrics": metrics})  # pyright: ignore
        known = {boastful: {"replaces": [], "by": ["mallory"], "test": None}}
        record = {**other.task("bars"), "model": boastful, "retained": known}
        other.store.write_task(record)  # pyright: ignore[reportArgumentType]
    return system, good, boastful


def _useless_head(system: munet.System, head) -> str:
    return system.store.put_layer({name: -tensor for name, tensor in head.items()})


def test_what_is_better_here_replaces_what_claims_to_be(
    both: tuple[munet.System, str, str], tmp_path: Path, run: Run
) -> None:
    system, good, boastful = both
    code, out, err = run("merge", system.path, tmp_path / "theirs", "--judge")
    assert (code, err) == (0, "")
    assert f"{boastful[:10]} (100.00 on validation, claimed by mallory)" in out, (
        "before it is measured, the claim counts"
    )
    assert out.splitlines()[-1].endswith(f"{good[:10]} is retained")
    record = system.task("bars")
    assert (record["model"], heads(history_of(record))) == (good, [good])
    assert system.judge("bars") is None
    theirs = munet.System.open(tmp_path / "theirs")
    theirs.merge(system)
    assert theirs.task("bars")["model"] == good, "who hears of it retains the same"
    assert theirs.fsck().ok


def test_where_images_are_not_here_nothing_is_decided(both: tuple[munet.System, str, str], tmp_path: Path) -> None:
    system, good, boastful = both
    carol = munet.System.clone(str(system.path), tmp_path / "carol")
    carol.merge(tmp_path / "theirs")
    assert carol.task("bars")["model"] == boastful
    with pytest.raises(InputError, match="munet task move"):
        carol.judge("bars")
    assert heads(history_of(carol.task("bars"))) == sorted([good, boastful])


def test_a_single_model_is_a_claim_until_it_is_measured(
    both: tuple[munet.System, str, str], tmp_path: Path, run: Run
) -> None:
    system, good, boastful = both
    dora = munet.System.create(tmp_path / "dora", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    assert dora.root == system.root
    dora.add_task("bars", f"npz:{tmp_path / 'bars'}")
    code, out, _ = run("merge", dora.path, system.path, "--judge")
    assert (code, out.splitlines()[-1][-12:]) == (0, "; as claimed")
    assert "claimed" not in dora.task("bars")
    assert dora.judge("bars") is None

    eve = munet.System.create(tmp_path / "eve", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    eve.add_task("bars", f"npz:{tmp_path / 'bars'}")
    code, out, _ = run("merge", eve.path, tmp_path / "theirs", "--judge")
    assert code == 0
    assert " % (100.00 claimed): it stays a claim" in out.splitlines()[-1]
    judged = eve.judge("bars")
    assert judged is not None
    assert judged.claimed == {boastful: 1.0}
    assert judged.accuracies[boastful] < 1
    assert eve.task("bars").get("claimed") == [boastful]

    frank = munet.System.clone(str(system.path), tmp_path / "frank")
    code, _, err = run("merge", frank.path, system.path, "--judge")
    assert code == 0
    assert err.startswith("note: bars stays a claim: ")
    assert "munet task move" in err
    assert frank.task("bars").get("claimed") == [good]


def test_two_who_judge_differently_hold_what_the_order_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (fleet(tmp_path / name, "flowers") for name in "ab")
    weaker, better = retain(a, "flowers", "1", 0.5), retain(b, "flowers", "2", 0.6)
    exchange(place(a), place(b))
    exchange(place(b), place(a))
    monkeypatch.setattr("munet.tasks.trust.refuse_received", lambda record: None)
    for store, liked in ((a, weaker), (b, better)):
        monkeypatch.setattr(
            "munet.inference.candidates.counts_of",
            lambda models, record, first, device, liked=liked: ({model: int(model == liked) for model in first}, 1),
        )
        judged = judge(munet.System(store).models, "flowers")
        assert judged is not None
        assert store.read_task("flowers")["model"] == next(iter(judged.accuracies)) == liked
    exchange(place(a), place(b))
    exchange(place(b), place(a))
    assert a.read_task("flowers")["model"] == b.read_task("flowers")["model"] == better
    assert heads(history_of(a.read_task("flowers"))) == sorted([weaker, better])
