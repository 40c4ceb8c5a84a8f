"""What a process imports before it answers: every library it does not need is a second that somebody waits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

import munet
from cli_tools import SOURCES
from golden_ids import images
from growing import evolve

HEAVY = ("timm", "datasets", "pandas", "torchvision", "matplotlib", "torch._dynamo", "pyarrow", "sympy")
ANSWER = """
import json, sys
from munet.cli import main
try:
    main()
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def test_an_answer_imports_nothing_heavy_but_torch(tmp_path: Path):
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(tmp_path / "pairs", 2)
    system.add_task("pairs", f"npz:{tmp_path / 'pairs'}")
    evolve(system, method="head-only", threads=1, executor="local")
    Image.new("RGB", (32, 32), "red").save(tmp_path / "a.png")
    words = ["predict", str(system.path), "pairs", str(tmp_path / "a.png"), "--json", "--device", "cpu"]
    command = [sys.executable, "-c", ANSWER, *words]
    run = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SOURCES)}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert len(json.loads(run.stdout)["images"]) == 1
    imported = set(json.loads(run.stderr))
    assert "torch" in imported
    assert not imported & set(HEAVY)
