"""What one system has retained reaches another: every case of two people and one task."""

from pathlib import Path

import pytest

from munet.errors import DamagedError, InputError, StoreError
from munet.sharing.copying import Copied, is_whole
from munet.sharing.exchange import Outcome, Refused, bring, exchange
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.records import seal
from munet.store.retained import history_of
from sharing_tools import SECRET, best, fleet, new_task, place, retain, shared_state
from store_tools import changed, layer_bytes, manifest


def pull(source: Store, target: Store, *tasks: str, **options) -> list[Outcome]:
    return exchange(place(source), place(target), tasks or None, **options)


def words(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.task: outcome.what for outcome in outcomes}


def test_a_task_that_is_new_there_comes_whole_and_without_the_place_of_its_images(mine: Store, tmp_path: Path) -> None:
    first = retain(mine, "flowers", "1")
    second = retain(mine, "flowers", "2")
    target = fleet(tmp_path / "empty")
    (outcome,) = pull(mine, target)
    assert (outcome.what, outcome.model, outcome.by) == ("new", second, ("alice",))
    record = target.read_task("flowers")
    assert (record["source"], record["active"], record["last"]) == ("none:", None, None)
    assert record["classes"] == ["a", "b"]
    assert is_whole(place(target), second)
    assert target.has_model(first), "its manifest tells the lineage"
    assert fsck(target).ok
    assert words(pull(mine, target)) == {"flowers": "same"}
    assert not any(SECRET.encode() in file.read_bytes() for file in target.path.rglob("*") if file.is_file())


def test_who_knew_less_takes_over_and_who_knew_more_stays(mine: Store, theirs: Store) -> None:
    retain(mine, "flowers", "1")
    pull(mine, theirs)
    newer = retain(mine, "flowers", "2", accuracy=0.4)
    assert words(pull(theirs, mine)) == {"flowers": "ahead"}
    assert mine.read_task("flowers")["model"] == newer
    assert words(pull(mine, theirs)) == {"flowers": "taken"}
    assert theirs.read_task("flowers")["model"] == newer, (
        "the newer one was chosen by score, so it counts, though less accurate"
    )
    assert theirs.read_task("flowers")["source"] == f"npz:{SECRET}", "what is of one place only stays"


def test_the_same_task_evolved_twice_is_one_more_selection_and_the_other_stays_whole(
    mine: Store, theirs: Store
) -> None:
    retain(mine, "flowers", "0")
    pull(mine, theirs)
    weaker = retain(mine, "flowers", "mine", accuracy=0.6)
    better = retain(theirs, "flowers", "theirs", accuracy=0.7, by="bob")
    (outcome,) = pull(theirs, mine)
    assert (outcome.what, outcome.model, outcome.over, outcome.by) == ("joined", better, (weaker,), ("bob",))
    pull(mine, theirs)
    assert shared_state(mine) == shared_state(theirs)
    for store in (mine, theirs):
        gc(store)
        assert store.read_task("flowers")["model"] == better
        assert is_whole(place(store), weaker), "kept until the next model replaces both"
        assert fsck(store).ok
    last = retain(theirs, "flowers", "next", accuracy=0.71)
    assert history_of(theirs.read_task("flowers"))[last]["replaces"] == sorted([weaker, better])
    pull(theirs, mine)
    gc(mine)
    assert mine.read_task("flowers")["model"] == last
    assert not is_whole(place(mine), weaker)


@pytest.mark.parametrize("left", ["manifest", "whole"])
def test_ancestors_come_again_that_went_before_what_descends_from_them(mine: Store, theirs: Store, left: str) -> None:
    """A system collects the line of models that it knows of, and leaves others that descend from it as garbage."""
    first = retain(mine, "flowers", "1")
    second = retain(mine, "flowers", "2")
    third = retain(mine, "flowers", "3")
    garbage = second if left == "manifest" else third
    with theirs.commit():
        for layer in mine.get_model(garbage)["layers"].values() if left == "whole" else ():
            theirs.put_layer_bytes(place(mine).layer(layer, 1 << 30))
        place(theirs).put_model(garbage, mine.get_model(garbage), whole=False)
    assert not theirs.has_model(first)
    pull(mine, theirs)
    assert theirs.read_task("flowers")["model"] == third
    assert theirs.has_model(first)
    assert theirs.has_model(second)
    assert fsck(theirs).ok


def test_what_was_measured_on_more_images_counts_before_what_was_more_accurate(mine: Store, theirs: Store) -> None:
    retain(mine, "flowers", "few", accuracy=0.99, examples=5)
    many = retain(theirs, "flowers", "many", accuracy=0.5, examples=500)
    pull(theirs, mine)
    assert mine.read_task("flowers")["model"] == many


def test_no_answer_depends_on_the_order_in_which_three_hear_of_each_other(tmp_path: Path) -> None:
    stores = [fleet(tmp_path / str(number), "flowers") for number in range(3)]
    models = [retain(store, "flowers", str(n), accuracy=0.5 + n % 2 / 10) for n, store in enumerate(stores)]
    a, b, c = stores
    for source, target in ((a, b), (c, b), (b, a), (b, c), (a, c)):
        pull(source, target)
    assert shared_state(a) == shared_state(b) == shared_state(c)
    assert a.read_task("flowers")["model"] == best(b, *models)


def test_an_older_record_without_a_history_takes_part(mine: Store, theirs: Store) -> None:
    model = retain(mine, "flowers", "1")
    older = {key: value for key, value in mine.read_task("flowers").items() if key != "retained"}
    mine.write_task(older)  # pyright: ignore[reportArgumentType]
    assert words(pull(mine, theirs)) == {"flowers": "taken"}
    assert history_of(theirs.read_task("flowers")) == {model: {"replaces": [], "by": [], "test": older["test"]}}


@pytest.mark.parametrize(
    ("other", "what"),
    [({"fingerprint": "other"}, "other images"), ({"classes": ("a", "b", "c")}, r"other classes \(2 there, 3 here\)")],
)
def test_another_task_of_the_same_name_is_refused_with_a_way_out_and_the_rest_goes_on(
    tmp_path: Path, other: dict, what: str
) -> None:
    mine, theirs = fleet(tmp_path / "mine", "signs"), fleet(tmp_path / "theirs")
    new_task(theirs, "flowers", **other)
    new_task(mine, "flowers")
    theirs_before = retain(theirs, "flowers", "x")
    retain(mine, "flowers", "y")
    model = retain(mine, "signs", "z")
    with pytest.raises(Refused, match=rf"task 'flowers' stands for {what}.*--skip flowers") as refused:
        pull(mine, theirs)
    assert refused.value.kind == "other-data"
    assert words(refused.value.outcomes) == {"signs": "new", "flowers": "refused"}
    assert theirs.read_task("signs")["model"] == model
    assert theirs.read_task("flowers")["model"] == theirs_before
    assert words(pull(mine, theirs, skip=["flowers"])) == {"signs": "same"}


def test_tasks_whose_images_nobody_named_are_the_same_only_if_they_share_a_model(tmp_path: Path) -> None:
    mine, theirs = fleet(tmp_path / "mine"), fleet(tmp_path / "theirs")
    for store in (mine, theirs):
        new_task(store, "flowers", fingerprint="none:flowers")
        retain(store, "flowers", str(store.path))
    with pytest.raises(Refused, match="images that nobody named"):
        pull(mine, theirs)
    theirs.remove_task("flowers")
    pull(mine, theirs)
    retain(mine, "flowers", "more")
    assert words(pull(mine, theirs)) == {"flowers": "taken"}


def test_private_tasks_and_what_they_alone_reach_stay_at_home(mine: Store, tmp_path: Path) -> None:
    public = retain(mine, "flowers", "1")
    new_task(mine, "patients", private=True)
    secret = retain(mine, "patients", "2", parent=public)
    target = fleet(tmp_path / "target")
    assert words(pull(mine, target)) == {"flowers": "new"}
    head = mine.get_model(secret)["layers"]["head"]
    for file in (file for file in target.path.rglob("*") if file.is_file()):
        path, data = str(file.relative_to(target.path)).replace("/", ""), file.read_bytes()
        for word in ("patients", secret, head, SECRET):
            assert word not in path
            assert word.encode() not in data
    with pytest.raises(Refused, match=r"task 'patients' of .* is private"):
        pull(mine, target, "patients")
    assert not target.has_task("patients")


def test_nothing_that_descends_from_a_private_model_leaves(mine: Store, tmp_path: Path) -> None:
    new_task(mine, "patients", private=True)
    retain(mine, "flowers", "1", parent=retain(mine, "patients", "2"))
    target = fleet(tmp_path / "target")
    with pytest.raises(Refused, match=r"private in .* so nothing that descends from it leaves"):
        pull(mine, target)
    assert not target.has_task("flowers")


def test_systems_of_other_roots_are_refused_by_name_of_both(mine: Store, tmp_path: Path) -> None:
    def root(store: Store) -> str:
        return store.put_model(manifest({"embedding": store.put_layer_bytes(layer_bytes("other"))}))

    other = Store.create(tmp_path / "other", root)
    with pytest.raises(StoreError, match=rf"{mine.root[:10]}.*{other.root[:10]}") as refused:
        pull(mine, other)
    assert refused.value.kind == "other-root"


def test_an_unknown_task_is_named(mine: Store, theirs: Store) -> None:
    with pytest.raises(Refused, match=r"has no task 'flower' \(did you mean 'flowers'\?\)"):
        pull(mine, theirs, "flower")
    with pytest.raises(InputError, match=r"--skip flower.*did you mean 'flowers'"):
        pull(mine, theirs, skip=["flower"])


def test_a_look_copies_models_and_moves_nothing(mine: Store, theirs: Store) -> None:
    model = retain(mine, "flowers", "1")
    (outcome,) = pull(mine, theirs, only_look=True)
    assert (outcome.what, outcome.model) == ("taken", model)
    assert theirs.read_task("flowers")["model"] is None
    assert is_whole(place(theirs), model)
    (outcome,) = pull(mine, theirs)
    assert (outcome.what, outcome.layers) == ("taken", 0)


def test_a_run_that_was_interrupted_goes_first_and_only_new_tasks_come(mine: Store, theirs: Store) -> None:
    retain(mine, "flowers", "1")
    new_task(mine, "signs")
    theirs.new_run({})
    with pytest.raises(Refused, match=r"run 0001 of .* is not finished") as refused:
        pull(mine, theirs)
    assert refused.value.kind == "interrupted-run"
    assert words(refused.value.outcomes) == {"flowers": "refused", "signs": "new"}


def test_who_evolves_is_not_disturbed(mine: Store, theirs: Store) -> None:
    retain(mine, "flowers", "1")
    with theirs.evolving("flowers"), pytest.raises(Refused, match="is already evolving") as refused:
        pull(mine, theirs)
    assert refused.value.kind == "busy"
    assert words(pull(mine, theirs)) == {"flowers": "taken"}


# -- what comes from others is checked --------------------------------------------------------------------------------


def test_a_layer_that_holds_something_else_is_named_and_nothing_moves(mine: Store, theirs: Store) -> None:
    model = retain(mine, "flowers", "1")
    path = mine.layer_path(mine.get_model(model)["layers"]["head"])
    path.write_bytes(layer_bytes("something else"))
    with pytest.raises(Refused, match="holds other content than its name says"):
        pull(mine, theirs)
    assert theirs.read_task("flowers")["model"] is None
    assert fsck(theirs).ok


def test_a_layer_that_is_larger_than_its_model_says_is_not_even_read(mine: Store, theirs: Store) -> None:
    with mine.commit():
        big = mine.put_layer_bytes(layer_bytes("big", 3 << 20))
        layers = {**mine.get_model(mine.root)["layers"], "head": big}
        model = mine.put_model(manifest(layers, task="flowers", parent=mine.root, sizes={"head": 4}))
        mine.write_task(changed(mine.read_task("flowers"), model=model))
    with pytest.raises(Refused, match="has more than"):
        pull(mine, theirs)


@pytest.mark.parametrize("model", ["../../etc/passwd", "f" * 63, "F" * 64])
def test_a_record_that_names_what_is_no_id_is_refused(mine: Store, theirs: Store, model: str) -> None:
    record = mine.read_task("flowers")
    good = retain(mine, "flowers", "1")
    entry = {"replaces": [model], "by": [], "test": None}
    data = seal({**record, "model": good, "retained": {good: entry}}, "x")
    mine.task_path("flowers").write_bytes(data)
    with pytest.raises(Refused, match="which is no id"):
        pull(mine, theirs)


def test_a_model_of_another_task_is_refused(mine: Store, theirs: Store) -> None:
    new_task(mine, "signs")
    foreign = retain(mine, "signs", "1")
    mine.write_task(changed(mine.read_task("flowers"), model=foreign))
    with pytest.raises(Refused, match="is not one of task 'flowers'"):
        pull(mine, theirs, "flowers")


def test_a_model_that_is_named_and_not_there_is_damage(mine: Store, theirs: Store) -> None:
    model = retain(mine, "flowers", "1")
    mine.models.path(model).unlink()
    way = f"which is not there: put models/{model[:2]}/{model[2:]}.json back there .*`munet fsck {mine.path}` names all"
    with pytest.raises(DamagedError, match=way):
        bring("flowers", place(mine), place(theirs), Copied())
