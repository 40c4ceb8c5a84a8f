"""What is wrong with a command is reported before torch is imported, which takes seconds."""

import json
from pathlib import Path

import numpy as np
import pytest

from cli_tools import munet as command
from munet import System
from store_tools import changed

LISTED = """
import contextlib, io, json, sys
from munet.cli import main
answers = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as ended:
            code = ended.code
    heavy = [name for name in ("torch", "timm", "datasets", "pandas", "matplotlib") if name in sys.modules]
    answers.append([code, err.getvalue(), heavy])
print(json.dumps(answers))
"""

# FLEET has the task t without a model, EMPTY no task, GONE a task whose images were moved, FILE is an image
MISTAKES = {
    "init NEW --root timm:vit_tinny_patch16_224": "timm has no model 'vit_tinny_patch16_224' (did you mean 'vit_tiny",
    "init NEW --root random:nope": "timm has no model 'nope'; those that can be cut: ",
    "init NEW --root timm:vit_tinny": "did you mean 'vit_tiny_patch16_224'?",
    "init NEW --root timm:vit_smal": "did you mean 'vit_small_patch16_224'?",
    "init NEW --root random:nonsense": "timm has no model 'nonsense'; those that can be cut: ",
    "init NEW --root random:vit_tiny_patch16_224 --depth 0": "--depth",
    "init NEW --root builtin:glyph": "did you mean 'glyphs'?",
    "init NEW --root glyphs": "did you mean 'builtin:glyphs'?",
    "init NEW --root npz:NEW.npz": "NEW.npz is not there",
    "init NEW --root timm:vit_tiny_patch16_224 --weights NEW.safetensors": "NEW.safetensors is not there",
    "init NEW --image-size 31": "use 16 or 32",
    "init FLEET": "already a munet system",
    "add NEW t npz:NEW": "is no munet system",
    "add FLEET t npz:NEW": "is already in",
    "add FLEET a/b npz:NEW": "'/' is not allowed",
    "add FLEET u npz:NEW": "there is no such folder or .npz file",
    "add FLEET u nzp:NEW": "unknown data source",
    "add FLEET --catalog nope": "unknown benchmark 'nope'",
    "evolve NEW": "is no munet system",
    "evolve EMPTY": "has no tasks yet",
    "evolve GONE": "there is no such folder or file on this machine",
    "evolve FLEET tt": "has no task 'tt'",
    "evolve FLEET --method mu2net-pls": "did you mean 'mu2net-plus'?",
    "evolve FLEET --method NEW.toml": "cannot read method",
    "evolve FLEET --generations 0": "generations",
    "evolve FLEET --set scale=2": "scale",
    "evolve FLEET --set nope=2": "unknown setting 'nope'",
    "evolve FLEET --set defaults.learning_rate=0.1": "method adaptive computes learning_rate: `--set recipe=given`",
    "evolve FLEET --set scale": "name=value",
    "evolve FLEET --image-size 31": "use 16 or 32",
    "evolve FLEET --precision fp16": "unknown precision 'fp16'",
    "evolve FLEET --executor rai": "did you mean 'ray'?",
    "evolve FLEET --cache-memory much": "give a size",
    "evolve FLEET --preprocessing nil": "preprocessing 'nil' is unknown",
    "evolve FLEET --samples-per-task 1": "less than a batch",
    "evaluate FLEET": "has a model yet",
    "evaluate FLEET --task t": "has no model yet",
    "evaluate FLEET --task tt": "'tt'",
    "evaluate FLEET --split nope": "no split 'nope'",
    "evaluate FLEET --precision fp16": "unknown precision",
    "predict FLEET t FILE": "has no model yet",
    "predict FLEET tt FILE": "no task or model 'tt'",
    "predict FLEET root FILE": "the root has no head",
    "export FLEET t NEW.safetensors": "has no model yet",
    "export FLEET root NEW.bin": "should end in .safetensors",
    "export FLEET root NEW/x.safetensors": "is not a folder",
    "experiment run nope": "unknown benchmark 'nope'",
    "experiment run mccb-local --method nope": "unknown method 'nope'",
    "experiment run mccb-local --budget nope": "nope",
    "experiment run mccb-local --method munet --data NEW": "there is no such folder",
    "allocation train nope --out NEW": "unknown experiment 'nope'",
    "allocation train mnist4 --preset nope --out NEW": "--preset nope",
    "allocation train mnist4 --method nope --out NEW": "--method nope",
    "allocation train mnist4 --budget 3 --out NEW": "--budget 3",
    "allocation train mnist4 --set alphabets --out NEW": "name=value",
    "allocation train mnist4 --rounds 0 --out NEW": "--rounds 0",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("early")
    from PIL import Image

    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "image.png")
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 8, 8, 3), np.uint8), np.arange(40) % 2
    for name in ("here", "moved"):
        arrays = {"train_image": images, "train_label": labels, "test_image": 255 - images, "test_label": labels}
        np.savez(folder / f"{name}.npz", **arrays)
    made = {
        name: System.create(folder / name, "random:vit_tiny_patch16_224", depth=1, image_size=16)
        for name in ("FLEET", "EMPTY", "GONE")
    }
    made["FLEET"].add_task("t", f"npz:{folder / 'here.npz'}")
    made["GONE"].add_task("t", f"npz:{folder / 'moved.npz'}")
    (folder / "moved.npz").unlink()
    return {name: str(system.path) for name, system in made.items()} | {
        "FILE": str(folder / "image.png"),
        "NEW": str(folder / "NEW"),
    }


def named(text: str, places: dict[str, str]) -> str:
    for name, path in places.items():
        text = text.replace(name, path)
    return text


def test_mistakes_are_told_without_torch(places: dict[str, str], tmp_path: Path) -> None:
    asked = [[named(word, places) for word in line.split()] for line in MISTAKES]
    done = command(json.dumps(asked), code=LISTED, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for line, part, (code, err, heavy) in zip(MISTAKES, MISTAKES.values(), json.loads(done.stdout), strict=True):
        assert code == 2, (line, err)
        assert named(part, places).replace(str(Path(places["NEW"]).parent) + "/", "") in err.replace(
            str(Path(places["NEW"]).parent) + "/", ""
        ), (line, err)
        assert heavy == [], (line, err)
    assert not Path(places["NEW"]).exists()


def test_an_image_that_is_not_there_is_told_without_torch(places: dict[str, str], tmp_path: Path) -> None:
    system = System.open(places["FLEET"])
    record = system.task("t")
    with system.store.commit():
        model = system.store.put_model(changed(system.manifest("root"), task="t"))
        system.store.write_task(changed(record, model=model))
    try:
        asked = [["predict", places["FLEET"], "t", places["NEW"] + ".png"], ["predict", places["FLEET"], "t", __file__]]
        done = command(json.dumps(asked), code=LISTED, cwd=tmp_path)
    finally:
        system.store.write_task(record)
    assert done.returncode == 0, done.stderr
    for (code, err, heavy), (_, _, _, file) in zip(json.loads(done.stdout), asked, strict=True):
        assert (code, heavy) == (2, []), err
        assert file in err
