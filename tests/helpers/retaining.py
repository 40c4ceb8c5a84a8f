"""A model that replaces what a task of a real system retains, made without training."""

from typing import Any, cast

import torch

import munet
from munet.store.retained import history_of, noted
from munet.store.schema import Manifest


def retain_another(system: munet.System, task: str, seed: int = 0) -> str:
    """Store and retain a model of the task that differs in its head; its id."""
    record = system.task(task)
    parent = record["model"]
    assert parent is not None
    before = system.store.get_model(parent)
    generator = torch.Generator().manual_seed(seed)
    head = {
        name: t + torch.randn(t.shape, generator=generator)
        for name, t in system.models.layer(before["layers"]["head"]).items()
    }
    with system.store.commit():
        layers = {**before["layers"], "head": system.store.put_layer(head)}
        model = system.store.put_model(cast("Manifest", {**before, "parent": parent, "layers": layers}))
        retained = noted(history_of(record), model, None, "somebody")
        changes: dict[str, Any] = {"model": model, "test": None, "retained": retained}
        system.store.write_task(cast("Any", {**record, **changes, "iterations": record["iterations"] + 1}))
    return model
