"""Every method that munet knows, once, with the least budget: what it sets is what its models are."""

from pathlib import Path
from typing import Any

import pytest

import munet
from golden_ids import images
from growing import evolve
from munet.search.loading import preset_names

LEAST: dict[str, Any] = {
    "task_iterations": 1,
    "generations": 1,
    "children": 1,
    "cycles": 1,
    "samples_per_cycle": 16,
}


@pytest.mark.parametrize("method", preset_names())
def test_a_model_is_of_the_form_that_its_settings_say(tmp_path: Path, method: str) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    images(tmp_path / "bars", 3)
    system.add_task("bars", f"npz:{tmp_path / 'bars'}")
    evolve(system, method=method, threads=1, executor="local", **LEAST)
    retained = system.task("bars")["model"]
    assert retained is not None
    manifest = system.manifest(retained)
    for slot, layer in manifest["layers"].items():
        count = sum(tensor.numel() for tensor in system.store.get_layer(layer).values())
        assert manifest["sizes"][slot] == count, slot
    wide = manifest["hyperparameters"].get("head_features", "pooled") != "pooled"
    assert manifest["sizes"]["head"] == 3 * (192 * (2 if wide else 1) + 1)
    assert system.fsck().damaged == []
