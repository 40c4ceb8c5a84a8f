"""Models of a system as files for others: what timm loads, and programs that run without munet."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.inference.asked import classes_of, form_of, temperature_of
from munet.inference.described import described
from munet.model.to_timm import check_target, export_model
from munet.store.consistent import consistent
from munet.store.derived import resolve
from munet.store.schema import Manifest
from munet.tasks.form import Form, decode_side

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader, Tensors


def export_to_timm(models: "ModelLoader", word: str, path: Path, *, with_adapters: bool) -> dict[str, Any]:
    """Write the model that a word names; see `System.export`."""
    check_target(path)
    architecture, store = models.architecture, models.store

    def read() -> "tuple[str, Manifest, Form, dict[str, Tensors]]":
        model = resolve(store, word)
        manifest = models.manifest(model)
        side = decode_side(manifest["hyperparameters"]["image_size"])
        form = form_of(models, model) if manifest["task"] else Form(side)
        return model, manifest, form, models.layers(model)

    model, manifest, form, layers = consistent(store, read)
    size = manifest["hyperparameters"]["image_size"]
    record = store.read_task(manifest["task"]) if manifest["task"] else None
    return export_model(
        architecture,
        layers,
        size,
        classes_of(record, model) if record else [],
        path,
        with_adapters=with_adapters,
        temperature=temperature_of(record, model) if record else 1.0,
        preprocessing=described(form, size, architecture.mean, architecture.std),
    )


def export_as_program(
    models: "ModelLoader",
    words: Sequence[str],
    path: Path,
    *,
    preprocessing: bool,
    example: bool,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Write the models that these words name as one program; see `System.export_program`."""
    from munet.inference.programs import write_program
    from munet.inference.programs.example import write_example

    if example and path.suffix != ".onnx":
        raise InputError(f"{path}: an example goes with .onnx only")
    if example and not preprocessing:
        raise InputError("an example goes with a program that holds the preprocessing: leave --bare out")

    told = progress or (lambda done, steps: None)

    def write() -> dict[str, Any]:
        ids = list(dict.fromkeys(resolve(models.store, word) for word in words))
        return write_program(models, ids, path, preprocessing=preprocessing, progress=told)

    written = consistent(models.store, write)
    return written | ({"example": str(write_example(path))} if example else {})
