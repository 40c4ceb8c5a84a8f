"""SIGKILL at random moments: nothing acknowledged is lost, nothing is damaged, the end is the same (P1, P4, P5, P6)."""

from pathlib import Path

from killing import same_as_undisturbed


def test_ten_kills(tmp_path: Path, tiny_npz: Path) -> None:
    same_as_undisturbed(tmp_path, tiny_npz, kills=10, longest=1.5)
