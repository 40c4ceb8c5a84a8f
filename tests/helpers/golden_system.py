"""Writes the system in tests/store/golden, which later versions have to open: `golden_system.py DIR`.

The one that is checked in was written by format 1 and is never written again.
"""

import struct
import sys
from pathlib import Path

from munet.store import Store
from store_tools import changed, generation, manifest, safetensors_bytes, task_record


def floats(**tensors: list[float]) -> bytes:
    """A layer of F32 vectors."""
    header, data = {}, b""
    for name, values in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        span = [len(data), len(data) + len(packed)]
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": span}
        data += packed
    return safetensors_bytes(header, data)


LAYERS = {
    "embedding": floats(weight=[0.5, -0.25, 2.0], bias=[0.0]),
    "cls": floats(cls_token=[1.0, 2.0]),
    "posembed": floats(pos_embed=[0.125, 0.25]),
    "block.0": floats(weight=[1.5, -1.5]),
    "norm": floats(weight=[1.0], bias=[0.0]),
    "head": floats(weight=[3.0, 4.0], bias=[-1.0, 1.0]),
    "momentum": floats(weight=[0.5, 0.5], bias=[0.0, 0.0]),
}


def write(path: Path) -> Store:
    def root(store: Store) -> str:
        ids = {slot: store.put_layer_bytes(LAYERS[slot]) for slot in LAYERS if slot not in ("head", "momentum")}
        native = {"image_size": 224, "layer": ids["posembed"]}
        origin = {"source": "golden", "native_posembed": native}
        return store.put_model(manifest(ids, hyperparameters={"image_size": 32}, root=origin))

    store = Store.create(path, root)
    store.create_task(task_record("digits", classes=["null", "eins", "zwölf"], source="npz:/data/digits"))
    run = store.new_run({"format": 1, "request": {"seed": 0}})
    with store.commit():
        shared = store.get_model(store.root)["layers"]
        head, momentum = (store.put_layer_bytes(LAYERS[slot]) for slot in ("head", "momentum"))
        child = manifest(
            {**shared, "head": head},
            task="digits",
            parent=store.root,
            momentum={"head": momentum},
            hyperparameters={"learning_rate": 0.01, "image_size": 32},
            mutations=[{"kind": "clone", "slot": "norm"}],
            metrics={"validation_accuracy": 0.975, "accuracies": [0.5, 0.975]},
        )
        model = store.put_model(child)
        store.write_run(run, "digits-0000-0000", generation(("digits", 0, 0), [model, None]))
        last = {"run": run, "iteration": 0}
        store.write_task(changed(store.read_task("digits"), model=model, last=last))
    store.write_run(run, "finished", {"finished": "2026-01-01T00:00:00+00:00"})
    return store


if __name__ == "__main__":
    write(Path(sys.argv[1]))
