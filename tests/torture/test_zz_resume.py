"""The campaign of failing calls with its draws, `resume` alone."""
import sys
sys.path[:0] = ["tests/torture", "tests/helpers", "tests"]
import test_torture_calls as T
whole = T.cut_off
def only(bench, name, how, k, folder, capsys):
    if name != "resume": return True, None
    COUNT.append(1)
    return whole(bench, name, how, k, folder, capsys)
COUNT = []
T.cut_off = only
from test_torture_calls import *  # noqa
def test_resume(bench, tmp_path, capsys):
    tally = T.campaign(bench, 5000, tmp_path / "case", capsys, list(T.COMMANDS))
    print(len(COUNT), tally.failures)
    assert tally.failures == []
