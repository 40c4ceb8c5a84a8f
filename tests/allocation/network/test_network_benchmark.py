"""The benchmark of the fused step runs, and both sides compute the same; nothing here looks at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

from repo import REPO as ROOT


def test_the_benchmark_times_both_sides_of_the_same_step(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "benchmarks" / "allocation.py"), "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "allocation.json").read_text())
    assert {fact["model"] for fact in found["facts"]} == {"omniglot20", "mnist4", "synthetic"}
    for fact in found["facts"]:
        assert fact["difference"] < 1e-5
        assert len(fact["seconds"]["plain"]) == len(fact["seconds"]["fused"]) == 2
        assert fact["gflop"] > 0
    assert len(found["tables"][0]["rows"]) == len(found["facts"])
