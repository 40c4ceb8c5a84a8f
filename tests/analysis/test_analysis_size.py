"""A large system is read and everything derived in seconds and within memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from analysis_tools import big_system

PROGRAM = """
import json, resource, sys, time
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
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"seconds": time.process_time(), "megabytes": memory, "children": len(tables.children)}))
"""


@pytest.mark.slow
def test_124_tasks_with_20000_children(tmp_path: Path):
    system = big_system(tmp_path / "big")
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(system.path)], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert told["children"] == 20_000
    assert told["seconds"] < 30  # 6 s of a core where it was written
    assert told["megabytes"] < 500
