"""SIGKILL at random moments of the store and of an evolving run: nothing acknowledged is lost, the end is the same."""

import random
from pathlib import Path

import pytest

from killing import create, kill_again_and_again, same_as_undisturbed
from munet.errors import MunetError
from munet.store import Store
from munet.store.fsck import fsck
from store_kills import result_of, start
from torture_tools import SHARES, Tally

AT_THE_STORE, OF_A_RUN = 5_000, 200
LARGE = 0.2  # of the kills, with layers of 200 kB, most of which die in the middle of a write
OF_A_STORE = 250  # then another one: what every kill has checked grows with each commit


@SHARES
@pytest.mark.timeout(0)
def test_killed_writers_lose_nothing(tmp_path: Path, share: float):
    tally = Tally("SIGKILL of writers at the store")
    for size, part in ((500, 1 - LARGE), (200_000, LARGE)):
        kills = max(30, int(AT_THE_STORE * part * share))
        for seed, first in enumerate(range(0, kills, OF_A_STORE)):
            folder = tmp_path / f"{size}-{seed}"
            found = result_of(start("kill", folder, min(OF_A_STORE, kills - first), size, "whole", seed), timeout=None)
            tally.cases += found["kills"]
            tally.failures += [f"{found['damaged']} damaged, {found['lost']} lost"] * (found["damaged"] + found["lost"])
            assert found["acknowledged"] > 0
            assert found["strays"] > 0  # some died in the middle of a write
            assert fsck(Store.open(folder / "s")).ok
    assert tally.told().failures == []


@pytest.mark.slow
def test_a_writer_without_care_would_fail(tmp_path: Path):
    found = result_of(start("kill", tmp_path, 30, 200_000, "naive", 0))
    assert found["damaged"] + found["lost"] > 0


@SHARES
@pytest.mark.timeout(0)
def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path: Path, tiny_npz: Path, share: float):
    kills = max(10, int(OF_A_RUN * share))
    tally = Tally("SIGKILL of an evolving run, then its end compared to the bit", cases=kills)
    same_as_undisturbed(tmp_path, tiny_npz, kills=kills, longest=1.5)
    tally.told()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_run_without_care_would_fail(tmp_path: Path, tiny_npz: Path):
    """Files that have their names before they are whole: kills leave damage, or another end."""
    system = create(tmp_path / "s", tiny_npz)
    luck = random.Random(1)

    def kill_until_it_shows() -> None:
        for _ in range(40):
            kill_again_and_again(system.path, 1, 1.5, luck, naive=True)  # which checks what is left

    with pytest.raises((AssertionError, MunetError)):
        kill_until_it_shows()
