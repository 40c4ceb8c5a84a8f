"""A large system is read and everything derived within memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis_tools import big_system

PROGRAM = """
import json, sys
from munet.analysis import costs, flow, growth, history, learning, lineage, progress, settings, sharing, summary
tables = history(sys.argv[1])
for name in "tasks children cycles mutations models layers probabilities iterations runs".split():
    getattr(tables, name)
for derive in (
    growth.growth, lineage.tree, lineage.transfers, sharing.shared_layers, flow.edges, settings.distributions,
    settings.by_depth, settings.probability_histograms, learning.gaps, costs.spent, costs.parameters, costs.rejected,
    progress.progress, summary.totals, summary.changes,
):
    derive(tables)
# not getrusage: what it tells is at least what the process that started this one had
memory = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"megabytes": memory, "children": len(tables.children)}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from /proc")
def test_124_tasks_with_20000_children(tmp_path: Path):
    system = big_system(tmp_path / "big")
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(system.path)], check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    assert measured["children"] == 20_000
    assert measured["megabytes"] < 500
