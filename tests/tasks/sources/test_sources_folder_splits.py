"""`folder:` with splits of any name: which folders are splits, which are left out, and what the line says to do."""

from pathlib import Path

import pytest

from class_folders import fill, product, refused_to_add
from munet.store.schema import TaskData
from munet.tasks.record import TaskOptions, add, load
from munet.tasks.sources import open_source
from munet.tasks.split_names import are_parts, match_splits


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "Val", "Test"),
        ("Training", "Validation", "Testing"),
        ("seg_train", "seg_val", "seg_test"),
        ("train", "dev", "eval"),
        ("TRAIN", "valid", "TEST"),
        ("train_images", "val_images", "test_images"),
        ("train2017", "val2017", "test2017"),
        ("trainset", "validation_set", "testset"),
        ("TrainSet", "DevSet", "TestSet"),
        ("01_train", "02_val", "03_test"),
        ("train_70", "val_10", "test_20"),
        ("training_set/training_set", "val_set/val_set", "test_set/test_set"),
        ("seg_train/seg_train", "seg_val/seg_val", "seg_test/x"),
    ],
)
def test_splits_by_any_name(tmp_path: Path, names: tuple[str, ...]) -> None:
    source = open_source(f"folder:{fill(tmp_path, product(names, ('cat', 'dog')))}")
    assert source.counts() == {"train": 8, "validation": 8, "test": 8}
    assert source.classes == ("cat", "dog")


def test_names_that_mean_no_split() -> None:
    assert match_splits(["train station", "bus", "test tube", "training camp"]) == {}
    assert match_splits(["seg_train", "seg_pred"]) == {}
    assert match_splits(["a_train", "a_test"]) == {"a_train": "train", "a_test": "test"}
    assert are_parts(["HAM_part_1", "HAM_part_2"])
    assert not are_parts(["cat_part_1", "dog_part_1"])
    assert not are_parts(["fold_0"])


def test_other_folders_beside_splits_bring_no_classes(tmp_path: Path) -> None:
    """The layouts of Intel's scenes and of fastai's cats and dogs."""
    root = fill(tmp_path, (*product(("train", "valid", "sample/train", "sample/valid"), ("cat", "dog")), "pred/pred"))
    source = open_source(f"folder:{root}")
    assert (source.classes, source.counts()) == (("cat", "dog"), {"train": 8, "validation": 8})
    told = " | ".join(source.notes())
    assert "sample has no folder of a class of train, only 'train, valid': left out, 16 images" in told
    assert "pred has no folder of a class of train, only 'pred': left out, 4 images without labels" in told


def test_classes_of_a_folder_beside_the_splits_are_counted_and_left_out(tmp_path: Path) -> None:
    root = fill(tmp_path, (*product(("train", "test"), ("cat", "dog")), "more/cat", "more/fox", "fish"), 10)
    said: list[str] = []
    record = add("pets", f"folder:{root}", tell=said.append)
    assert record["classes"] == ["cat", "dog"]
    told = " | ".join(said)
    assert "more has 1 class that train does not have (fox): left out, 10 images; folder:" in told
    assert "fish has no class folders: left out, 10 images without labels" in told
    assert "splits that are there and not used: more (10 images)" in told
    whole = add("pets", f"folder:{root}?level=2", TaskOptions(train="train+more"))
    assert whole["classes"] == ["cat", "dog", "fox"]
    # Tasks of before have such a class without that option.
    before: TaskData = {**whole, "source": whole["source"].replace("level=2&", "")}
    assert load(before, "train", side=8).labels.tolist() == load(whole, "train", side=8).labels.tolist()


def test_classes_beside_a_test_folder_are_meant_for_training(tmp_path: Path) -> None:
    root = fill(tmp_path, ("cat", "dog", "test/cat", "test/dog"))
    refused_to_add(f"folder:{root}", "cat, dog", "beside it", "no train", "put them in a folder called train")
    (root / "train").mkdir()
    for name in ("cat", "dog"):
        (root / name).rename(root / "train" / name)
    assert add("pets", f"folder:{root}")["splits"]["train"]["examples"] > 0


def test_a_class_with_folders_in_it_is_no_needless_level(tmp_path: Path) -> None:
    root = fill(tmp_path, (*product(("train",), ("cat", "dog")), "test/cat/2019", "test/cat/2020"), 6)
    assert open_source(f"folder:{root}").counts() == {"train": 12, "test": 12}


def test_a_needless_level_in_a_split_is_told(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("train/train", "test"), ("cat", "dog")))
    assert open_source(f"folder:{root}").notes() == [f"the classes of train are looked for in {root}/train/train"]


def test_splits_that_hold_no_classes_are_refused(tmp_path: Path) -> None:
    folds = fill(tmp_path / "a", product(("fold_0/train", "fold_0/val", "fold_1/train", "fold_1/val"), ("cat", "dog")))
    refused_to_add(f"folder:{folds}", "holds splits again (train, val)", f"folder:{folds}/fold_0")
    assert open_source(f"folder:{folds}/fold_0").counts() == {"train": 8, "validation": 8}
    parts = fill(tmp_path / "b", ("images_001/images", "images_002/images"), 20)
    refused_to_add(f"folder:{parts}", "images_001, images_002 hold no folders of classes, only 'images'", "csv:FILE")
    sites = fill(tmp_path / "c", product(("amazon/images", "dslr/images"), ("cup", "desk")), 20)
    refused_to_add(f"folder:{sites}", "the same sub-folders (cup, desk)", "?level=2")
    inner = add("inner", f"folder:{sites}?level=2", TaskOptions("amazon[20%:]", "amazon[:20%]", "dslr"))
    assert inner["classes"] == ["cup", "desk"]


def test_splits_and_masks_in_class_folders_come_with_a_pattern_that_reads_them(tmp_path: Path) -> None:
    root = fill(tmp_path / "a", product(("cat", "dog"), ("train", "test")), 20)
    refused_to_add(f"folder:{root}", "?pattern={class}/{split}/**")
    read = open_source(f"folder:{root}?pattern={{class}}/{{split}}/**")
    assert (read.classes, read.counts()) == (("cat", "dog"), {"train": 40, "test": 40})
    root = fill(tmp_path / "b", product(("COVID", "Normal"), ("images", "masks")), 20)
    refused_to_add(f"folder:{root}", "?pattern={class}/images/**")
    read = open_source(f"folder:{root}?pattern={{class}}/images/**")
    assert (read.classes, read.counts()) == (("COVID", "Normal"), {"train": 40})


@pytest.mark.parametrize(
    ("folders", "options"),
    [
        (("entrainement", "validation", "test"), ("entrainement", "validation", "test")),
        (("validation", "learn"), ("learn", "validation", None)),
        (("development", "evaluation"), ("validation[10%:]", "validation[:10%]", None)),
        (("test",), ("test[10%:]", None, "test[:10%]")),
        (("Fold 1", "Fold 2", "Fold 3"), ("Fold_1", "Fold_2", "Fold_3")),
        (("kfold1", "kfold2"), ("kfold1", None, "kfold2")),
    ],
)
def test_the_way_out_where_no_split_is_called_train_works(
    tmp_path: Path, folders: tuple[str, ...], options: tuple[str | None, str | None, str | None]
) -> None:
    root = fill(tmp_path, product(folders, ("cat", "dog")), 20)
    train, validation, test = options
    chosen = TaskOptions(train=train, validation=validation, test=test)
    said = [f"--{part} '{text}'" for part, text in chosen.given.items() if text]
    refused_to_add(f"folder:{root}", "there is no split 'train'", f"for instance {' '.join(said)}")
    assert add("pets", f"folder:{root}", chosen)["classes"] == ["cat", "dog"]


def test_names_of_splits_in_any_script(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("训练", "测试"), ("cat", "dog")), 20)
    refused_to_add(f"folder:{root}", "--train '测试'")
    record = add("pets", f"folder:{root}?level=2", TaskOptions("训练[:90%]", "训练[90%:]", "测试"))
    assert record["splits"]["test"]["ranges"] == [["测试", 0, 40]]


def test_classes_called_like_splits_are_classes(tmp_path: Path) -> None:
    root = fill(tmp_path, ("training/2023", "training/2024", "match/2023", "match/may"))
    assert open_source(f"folder:{root}").classes == ("match", "training")


def test_another_spelling_beside_the_usual_name_is_a_split_of_its_own(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("train", "test", "eval"), ("cat", "dog")))
    told: list[str] = []
    add("pets", f"folder:{root}", TaskOptions(validation="train[:2]"), tell=told.append)
    assert open_source(f"folder:{root}").counts() == {"train": 8, "test": 8, "eval": 8}
    assert "splits that are there and not used: eval (8 images)" in told


def test_folds_are_splits(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("fold_0", "fold_1", "fold_2"), ("cat", "dog")))
    assert open_source(f"folder:{root}").counts() == {"fold_0": 8, "fold_1": 8, "fold_2": 8}
    refused_to_add(
        f"folder:{root}", "there is no split 'train'", "--train 'fold_0' --validation 'fold_1' --test 'fold_2'"
    )
    record = add("pets", f"folder:{root}", TaskOptions("fold_0", "fold_1", "fold_2"))
    assert record["classes"] == ["cat", "dog"]


def test_splits_and_parts_without_classes_are_refused(tmp_path: Path) -> None:
    refused_to_add(f"folder:{fill(tmp_path / 'a', ('Train', 'Test'))}", "called after splits", "csv:FILE", "level=1")
    refused_to_add(f"folder:{fill(tmp_path / 'b', ('x_part_1', 'x_part_2'))}", "parts of one set", "level=1")
    add("meant", f"folder:{fill(tmp_path / 'c', ('Train', 'Test'), 40)}?level=1")


def test_the_same_sub_folders_are_refused_with_two_ways_out(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("site_a", "site_b"), ("sick", "well")), 20)
    refused_to_add(f"folder:{root}", "the same sub-folders (sick, well)", "?level=2", "?level=1")
    assert add("outer", f"folder:{root}?level=1")["classes"] == ["site_a", "site_b"]
    inner = add("inner", f"folder:{root}?level=2", TaskOptions("site_a[20%:]", "site_a[:20%]", "site_b"))
    assert inner["classes"] == ["sick", "well"]
    assert open_source(f"folder:{root}").classes == ("site_a", "site_b"), "a task that is there goes on"


def test_unlabelled_splits_are_told(tmp_path: Path) -> None:
    fill(tmp_path, (*product(("train",), ("cat", "dog")), "test", "holdout/unknown", "val/images"))
    (tmp_path / "val" / "val.txt").write_text("0_0.png cat\n")
    (tmp_path / "docs").mkdir()
    source = open_source(f"folder:{tmp_path}")
    assert source.counts() == {"train": 8}
    told = " | ".join(source.notes())
    assert "test has no class folders: left out, 4 images without labels" in told
    assert "holdout has no folder of a class of train, only 'unknown': left out, 4 images without labels" in told
    assert f"csv:{tmp_path}/val/val.txt" in told
    assert "docs has no class folders: left out, no images" in told


def test_spellings_of_a_class_in_other_splits_are_joined(tmp_path: Path) -> None:
    source = open_source(f"folder:{fill(tmp_path, ('train/Daisy', 'train/rose', 'test/daisy', 'test/rose'))}")
    assert source.classes == ("Daisy", "rose")
    assert sorted(source.labels("test").tolist()) == [0] * 4 + [1] * 4
    assert "'daisy' of test is the class 'Daisy'" in source.notes()
    both = open_source(f"folder:{fill(tmp_path / 'b', ('train/Daisy', 'train/daisy', 'test/daisy'))}")
    assert both.classes == ("Daisy", "daisy")


def test_a_class_of_test_alone_is_told_as_such(tmp_path: Path) -> None:
    root = fill(tmp_path, ("train/a", "train/b", "test/a", "test/b", "test/c"), 20)
    refused_to_add(f"folder:{root}", "class 'c' is in test only (20 images)", "put images of it in train")


def test_a_split_whose_classes_a_table_says(tmp_path: Path) -> None:
    """Tiny ImageNet's layout, as one task."""
    fill(tmp_path / "train", ["n01/images", "n02/images"], 6)
    fill(tmp_path / "val", ["images"], start=100)
    fill(tmp_path / "test", ["images"], start=200)
    names = sorted(path.name for path in (tmp_path / "val" / "images").iterdir())
    table = tmp_path / "val" / "val_annotations.txt"
    table.write_text("".join(f"{name}\tn0{1 + row % 2}\t0\t0\t9\t9\n" for row, name in enumerate(names)))
    source = open_source(f"folder:{tmp_path}")
    assert source.counts() == {"train": 12, "validation": 4}
    assert source.classes == ("n01", "n02")
    found = {
        Path(source.name("validation", row)).name: int(label) for row, label in enumerate(source.labels("validation"))
    }
    assert found == {name: row % 2 for row, name in enumerate(names)}
    assert table in (source.files("validation") or ()), "a change of the table is a change of the labels"
    assert any("val: the classes of 4 images are those of val_annotations.txt" in note for note in source.notes())
    table.write_text(table.read_text().replace("n02", "n03"))
    assert open_source(f"folder:{tmp_path}").counts() == {"train": 12}, "classes that are not those of train"


def test_what_add_tells(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("train",), [f"k{number:02d}" for number in range(12)]), 10)
    fill(root, product(("test", "val"), ("k00", "k01")), start=200)
    (root / "train" / "k00" / "0_0.png").unlink()
    told: list[str] = []
    add("many", f"folder:{root}", tell=told.append)
    assert "classes: k00, k01, k02, k03, … k10, k11" in told
    assert "train has 9 (k00) to 10 (k01) images of a class" in told
    assert "validation has no image of 10 classes: k02, k03, k04, k05, … k10, k11" in told
