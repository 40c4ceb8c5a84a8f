"""Programs of every kind of root that munet reads from timm, with munet's logits."""

from pathlib import Path

import pytest
import timm

import munet
from golden_ids import images
from growing import evolve
from model_tools import SMALL

pytest.importorskip("onnxruntime")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pt2", ".onnx"])
@pytest.mark.parametrize("name", SMALL)
def test_a_program_of_each_kind_of_root(name: str, suffix: str, tmp_path: Path) -> None:
    """`export_program` itself compares 16 answers, and refuses a difference above 1e-4."""
    vit = timm.create_model(name, depth=2, **SMALL[name])
    system = munet.System.create(tmp_path / "fleet", root=vit)
    images(tmp_path / "bars", 3)
    system.add_task("bars", f"npz:{tmp_path / 'bars'}")
    evolve(system, method="head-only", threads=1, executor="local")
    written = system.export_program(["bars"], tmp_path / f"bars{suffix}")
    assert written["largest_difference"] <= 1e-4
