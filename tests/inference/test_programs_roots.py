"""Programs of every kind of root that munet reads from timm, with munet's logits."""

from pathlib import Path

import pytest
import torch

from model_tools import SMALL, small_vit
from munet.inference.programs.check import LARGEST
from munet.inference.programs.graph import Program
from munet.inference.programs.write import Made, write_checked
from munet.model.from_timm import read_architecture
from munet.model.network import Network
from munet.model.state_dict import split_state_dict
from munet.training import Preprocessing

pytest.importorskip("onnxruntime")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pt2", ".onnx"])
@pytest.mark.parametrize("name", SMALL)
def test_a_program_of_each_kind_of_root(name: str, suffix: str, tmp_path: Path) -> None:
    vit = small_vit(name)
    layers, size = split_state_dict(vit.state_dict()), vit.patch_embed.img_size[0]  # type: ignore[index]
    network = Network(read_architecture(vit), layers, size)
    pre = Preprocessing(image_size=size, mean=(0.5,) * 3, std=(0.5,) * 3)
    program = Program({"x": network}, {"x": dict.fromkeys(layers, "layer")}, pre).requires_grad_(False)
    batch, side = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("side", min=2, max=512)
    example = torch.randint(0, 256, (2, 40, 30, 3), dtype=torch.uint8)
    made = Made(program, {}, example, {0: batch, 1: side, 2: torch.export.Dim("width", min=2, max=512)})
    assert write_checked(made, tmp_path / f"x{suffix}") <= LARGEST
