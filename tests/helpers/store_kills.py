"""Starting `store_driver.py`, and what it found."""

import json
import subprocess
import sys
from typing import Any

from repo import REPO

DRIVER = REPO / "tests" / "helpers" / "store_driver.py"


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(DRIVER), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result_of(process: subprocess.Popen[str], timeout: float | None = 240) -> dict[str, Any]:
    out, error = process.communicate(timeout=timeout)
    assert process.returncode == 0, error
    return json.loads(out)
