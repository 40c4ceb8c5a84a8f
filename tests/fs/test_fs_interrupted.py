"""Ctrl-C may come between any two lines, and stays what it is."""

import sys
from pathlib import Path
from types import FrameType

import pytest

from munet.fs.tree import Tree


class _Interrupt:
    """Raises KeyboardInterrupt before the line of that number, among those of open folders and of trees."""

    def __init__(self, line: int) -> None:
        self.left = line

    def __call__(self, frame: FrameType, event: str, argument: object) -> "_Interrupt | None":
        if not frame.f_code.co_filename.endswith(("fs/folders.py", "fs/tree.py")):
            return None
        self.left -= event == "line"
        if event == "line" and self.left == 0:
            raise KeyboardInterrupt
        return self


@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")  # files left open
def test_a_descriptor_is_never_closed_twice(tmp_path: Path):
    """Closing one that is closed already is an error, or closes what another thread opened meanwhile."""
    file = tmp_path / "a" / "b" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"whole")
    tree, found, lines = Tree(tmp_path), None, 0
    while found is None:
        lines += 1
        before = sys.gettrace()
        sys.settrace(_Interrupt(lines))
        try:
            found = tree.read(file)
        except KeyboardInterrupt:
            continue
        finally:
            sys.settrace(before)
    assert found == b"whole"
    assert lines > 20, "many lines were interrupted"
