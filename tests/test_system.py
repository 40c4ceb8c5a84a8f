"""What a person does with a system in Python."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import munet
from growing import evolve
from munet.errors import InputError, StoreError
from munet.store.layer_file import deserialize, id_of_bytes, layer_id, serialize

BUDGET: dict[str, Any] = {
    "generations": 1,
    "children": 2,
    "cycles": 2,
    "samples_per_cycle": 90,
    "batch_size": 15,
    "threads": 1,
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> munet.System:
    system = munet.System.create(
        tmp_path_factory.mktemp("systems") / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32
    )
    system.add_task("shapes", f"npz:{tiny_npz}")
    evolve(system, task_iterations=1, **BUDGET)
    system.add_task("waiting", f"npz:{tiny_npz}")
    return system


@pytest.fixture(scope="module")
def pictures(tiny_npz: Path) -> np.ndarray:
    with np.load(tiny_npz / "test.npz") as arrays:
        return arrays["image"][:5]


def test_predictions_do_not_depend_on_the_form_of_the_images(
    system: munet.System, pictures: np.ndarray, tmp_path: Path
) -> None:
    expected = system.predict("shapes", pictures)
    assert expected.logits.shape == (5, 3)
    assert torch.allclose(expected.probabilities.sum(dim=1), torch.ones(5))
    files = []
    for number, picture in enumerate(pictures):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(picture).save(files[-1])
    forms = {
        "channels": pictures[..., None],
        "rgb": np.repeat(pictures[..., None], 3, axis=3),
        "tensor": torch.from_numpy(pictures),
        "list": list(pictures),
        "files": files,
        "strings": [str(file) for file in files],
        "pil": [Image.fromarray(picture) for picture in pictures],
        "bytes": [file.read_bytes() for file in files],
    }
    for name, form in forms.items():
        assert torch.allclose(system.predict("shapes", form).logits, expected.logits, atol=1e-5), name
    one = system.predict("shapes", files[0])
    assert torch.allclose(one.logits, expected.logits[:1], atol=1e-5)


def test_top_names_classes_by_falling_probability(system: munet.System, pictures: np.ndarray) -> None:
    answers = system.predict("shapes", pictures).top(2)
    assert len(answers) == 5
    for (first, p), (second, q) in answers:
        assert first != second
        assert p >= q
        assert {first, second} <= set(system.task("shapes")["classes"])
    assert len(system.predict("shapes", pictures).top(9)[0]) == 3


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 8, 8), np.float32), "float32"),
        (np.zeros((2, 8, 8, 7), np.uint8), "shape"),
        (np.zeros((0, 8, 8), np.uint8), "shape"),
        ([], "no images"),
        ("missing.png", "missing.png"),
    ],
)
def test_bad_images_get_one_line(system: munet.System, images: object, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        system.predict("shapes", images)
    assert "\n" not in str(caught.value)


def test_evaluation_agrees_with_what_the_run_measured(system: munet.System) -> None:
    row = system.status()["tasks"][0]
    assert system.evaluate(["shapes"])["shapes"]["accuracy"] == row["test_accuracy"]
    assert system.evaluate(["shapes"], "validation")["shapes"]["accuracy"] == row["validation_accuracy"]
    assert list(system.evaluate()) == ["shapes"]  # what has no model yet is left out
    with pytest.raises(InputError, match="no split 'tset'"):
        system.evaluate(split="tset")


def test_models_are_modules_in_eval_mode(system: munet.System, pictures: np.ndarray) -> None:
    model = system.model("shapes")
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    x = torch.from_numpy(pictures)[:, None].float().div(127.5).sub(1).expand(-1, 3, -1, -1)
    x = torch.nn.functional.interpolate(x, (32, 32), mode="bilinear", align_corners=False)
    assert torch.allclose(model(x), system.predict("shapes", pictures).logits, atol=1e-5)
    with pytest.raises(InputError, match="no head"):
        system.model("root")
    with pytest.raises(InputError, match="no model yet"):
        system.model("waiting")


def test_names_and_ids_are_resolved_or_explained(system: munet.System) -> None:
    model = system.resolve("shapes")
    assert system.resolve(model[:8]) == model
    assert system.resolve("root") == system.root
    with pytest.raises(InputError, match="did you mean 'shapes'"):
        system.resolve("shaps")
    with pytest.raises(InputError, match="did you mean 'shapes'"):
        system.task("shaps")
    with pytest.raises(InputError):
        system.resolve("0000000000")


def test_exported_models_answer_the_same_in_plain_timm(
    system: munet.System, pictures: np.ndarray, tmp_path: Path
) -> None:
    import json

    import timm
    from safetensors.torch import load_file

    system.export("shapes", tmp_path / "out.safetensors")
    sidecar = json.loads((tmp_path / "out.json").read_text())
    assert sidecar["classes"] == system.task("shapes")["classes"]
    plain = timm.create_model(sidecar["model"], **sidecar["kwargs"]).eval()
    plain.load_state_dict(load_file(tmp_path / "out.safetensors"))
    x = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(plain(x), system.model("shapes")(x), atol=1e-5)


def test_tasks_are_named_once_and_well(system: munet.System, tiny_npz: Path) -> None:
    for name in ("shapes", "a/b", "", ".hidden", "x" * 200):
        with pytest.raises(InputError):
            system.add_task(name, f"npz:{tiny_npz}")
    assert system.tasks == ["shapes", "waiting"]
    assert system.status()["tasks"][1]["model"] is None


def test_systems_are_not_made_twice_or_from_nothing(system: munet.System, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        munet.System.create(system.path, root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    with pytest.raises(StoreError, match="munet init"):
        munet.System.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match="did you mean"):
        munet.System.create(tmp_path / "new", root="random:vit_tiny_patch16_244")
    with pytest.raises(InputError, match="33"):
        munet.System.create(tmp_path / "new", root="random:vit_tiny_patch16_224", image_size=33)
    assert not (tmp_path / "new").exists()


def test_the_shared_layers_in_memory_are_never_written_to(system: munet.System, tiny_npz: Path) -> None:
    opened = munet.System.open(system.path)
    before = {slot: opened.models.layer(layer) for slot, layer in opened.manifest("root")["layers"].items()}
    ids = {slot: layer_id(tensors) for slot, tensors in before.items()}
    evolve(opened, ["shapes"], method="finetune-full", **{**BUDGET, "children": 1})
    assert {slot: layer_id(tensors) for slot, tensors in before.items()} == ids


def test_layers_keep_their_ids_through_files() -> None:
    generator = torch.Generator().manual_seed(1)
    tensors = {"b": torch.randn(3, 4, generator=generator), "a": torch.ones(2, dtype=torch.bfloat16)}
    data = serialize(tensors)
    assert id_of_bytes(data) == layer_id(dict(reversed(tensors.items())))
    assert all(torch.equal(tensors[name], back) for name, back in deserialize(data).items())
    changed = {**tensors, "a": torch.tensor([1, 1.0078125], dtype=torch.bfloat16)}
    assert layer_id(changed) != layer_id(tensors)
    assert layer_id({"b": tensors["b"], "c": tensors["a"]}) != layer_id(tensors)
    assert layer_id({"b": tensors["b"].view(4, 3), "a": tensors["a"]}) != layer_id(tensors)


def test_asking_for_the_status_needs_no_torch(system: munet.System) -> None:
    program = (
        f"import sys, munet; munet.System.open({str(system.path)!r}).status();"
        "assert not {'torch', 'timm', 'numpy'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
