"""A program of one task or several, as ONNX or as a program of `torch.export`, checked before it is kept."""

import json
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from munet.errors import InputError
from munet.fs.atomic import write_atomic
from munet.inference.asked import classes_of, form_of, temperature_of, with_head
from munet.inference.described import described
from munet.inference.prepared import preprocessing_of
from munet.inference.programs.check import difference
from munet.inference.programs.graph import Program, one_input
from munet.store.schema import TaskRecord

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader

SUFFIXES = (".onnx", ".pt2")
OPSET = 20
_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_MOST = 1024  # images of a batch that torch.export is told of


@dataclass(frozen=True)
class Made:
    """A program that is not written yet, and what its writers are told."""

    program: Program
    description: dict[str, Any]
    example: torch.Tensor  # a batch of two: of one, the size of a batch would be taken for fixed
    dynamic: dict[int, Any]  # dimensions of any size


def write_program(
    models: "ModelLoader",
    ids: Sequence[str],
    path: Path,
    *,
    preprocessing: bool = True,
    progress: Callable[[int, int], None] = lambda done, steps: None,
) -> dict[str, Any]:
    """Write the models with these ids, each of another task, to `path` (.onnx or .pt2); returns what the file says.

    The program takes `images`: uint8 (B, H, W, 3) RGB, or without `preprocessing` float32 (B, C, S, S), and gives the
    logits (B, classes) of each task under its name. The description (JSON: tasks, classes, models, what happens to an
    image before) is in the file, under "munet". It is run on 16 images before it is kept. InputError: tasks that read
    images of different sizes, a missing package, answers that differ from ours.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} should end in {' or '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder: make it first", kind="missing-file")
    if path.suffix == ".onnx":
        _need()
    progress(0, 3)
    made = _made(models, ids, preprocessing)
    progress(1, 3)
    worst = write_checked(made, path, lambda: progress(2, 3))
    progress(3, 3)
    return made.description | {"file": str(path), "largest_difference": worst}


def write_checked(made: Made, path: Path, written: Callable[[], None] = lambda: None) -> float:
    """Write a program and ask it, then keep it; returns the largest difference. InputError where that is too large."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
        draft = Path(folder) / path.name
        (_onnx if path.suffix == ".onnx" else _exported)(made, draft)
        written()
        worst = difference(draft, made.program, made.example)
        write_atomic(path, draft.read_bytes())
    return worst


def _need() -> None:
    for name in _NEEDED:
        try:
            __import__(name)
        except ModuleNotFoundError as error:
            text = f"ONNX needs the package {name}: `pip install 'munet-ml[onnx]'`"
            raise InputError(text, kind="missing-extra") from error


def _made(models: "ModelLoader", ids: Sequence[str], preprocessing: bool) -> Made:
    manifests = {}
    for model in ids:
        manifest, task = with_head(models, model)
        manifests[task] = model, manifest
    forms = {task: form_of(models, model) for task, (model, _) in manifests.items()}
    pres = {task: preprocessing_of(models, manifest) for task, (_, manifest) in manifests.items()}
    one_input(pres, forms)
    networks = {task: models.network(model) for task, (model, _) in manifests.items()}
    layers = {task: manifest["layers"] for task, (_, manifest) in manifests.items()}
    pre, form = next(iter(pres.values())), next(iter(forms.values()))
    program = Program(networks, layers, pre if preprocessing else None).requires_grad_(False).eval()
    tasks = [_told(models.store.read_task(task), model) for task, (model, _) in manifests.items()]
    steps = described(form, pre.image_size, pre.mean, pre.std)
    inside = ["resize to the input size", "scale", "mean", "std"] if preprocessing else []
    description = {"tasks": tasks, "image_size": pre.image_size, "preprocessing": steps, "inside": inside}
    batch = torch.export.Dim("batch", min=1, max=_MOST)
    if preprocessing:
        height, width = form.size or (form.side, form.side)
        example = torch.randint(0, 256, (2, height, width + (height == 2), 3), dtype=torch.uint8)
        sides = {1: torch.export.Dim("height", min=2, max=1 << 14), 2: torch.export.Dim("width", min=2, max=1 << 14)}
        return Made(program, description, example, {0: batch, **sides})
    example = torch.randn(2, len(pre.mean), pre.image_size, pre.image_size)
    return Made(program, description, example, {0: batch})


def _told(record: TaskRecord, model: str) -> dict[str, Any]:
    classes, temperature = classes_of(record, model), temperature_of(record, model)
    return {"task": record["name"], "model": model, "classes": classes, "temperature": temperature}


def _exported(made: Made, path: Path) -> None:
    with torch.no_grad():
        program = torch.export.export(made.program, (made.example,), dynamic_shapes={"images": made.dynamic})
    torch.export.save(program, path, extra_files={"munet": json.dumps(made.description, ensure_ascii=False)})


def _onnx(made: Made, path: Path) -> None:
    import onnx

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        written = torch.onnx.export(
            made.program, (made.example,), dynamo=True, opset_version=OPSET, verbose=False,
            input_names=["images"], output_names=list(made.program.tasks), dynamic_shapes={"images": made.dynamic},
        )  # fmt: skip
    assert written is not None
    model = written.model_proto
    onnx.helper.set_model_props(model, {"munet": json.dumps(made.description, ensure_ascii=False)})
    onnx.save(model, path)
