"""The report of a large system is made within memory; that of a usual one is small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis_tools import big_system
from image_tools import made_up
from munet.report.page import build_page, payload

PROGRAM = """
import json, sys
from munet.analysis import history
from munet.report.page import build_page, payload, write_page
page = write_page(build_page(payload(history(sys.argv[1]))), sys.argv[2])
# not getrusage: what it tells is at least what the process that started this one had
memory = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"megabytes": memory, "bytes": page.stat().st_size}))
"""


def test_20_tasks_with_2000_children_take_less_than_3_megabytes(tmp_path: Path):
    system = big_system(tmp_path / "twenty", tasks=20, children=2000, blocks=12)
    assert len(build_page(payload(system.history())).encode()) < 1_000_000


def test_40_images_of_each_of_them_stay_below_3_megabytes(tmp_path: Path):
    system = big_system(tmp_path / "twenty", tasks=20, children=2000, blocks=12)
    page = build_page(payload(system.history(), seen=dict.fromkeys(system.tasks, made_up(100, 2000))))
    assert page.count("data:image/webp") == 800
    assert len(page.encode()) < 3_000_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from /proc")
def test_124_tasks_with_20000_children(tmp_path: Path):
    system = big_system(tmp_path / "big")
    words = [sys.executable, "-c", PROGRAM, str(system.path), str(tmp_path / "big.html")]
    measured = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert measured["megabytes"] < 1000
    assert measured["bytes"] < 10_000_000
