"""What a person sees of `munet evolve` in a terminal of 80 columns: one that is made up, whose screen is kept."""

import os
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from select import select
from termios import TIOCSWINSZ
from time import monotonic

import pyte
import pytest

import munet
from golden_ids import images

COLUMNS, LINES = 80, 24
NAME = "a_task_whose_name_is_long"
WORDS = ("--method", "mu2net-plus", "--task-iterations", "1", "--generations", "2", "--children", "2", "--cycles", "2",
         "--set", "batch_size=16", "--threads", "1", "--executor", "local")  # fmt: skip


def heed() -> None:
    """Tests in the background of a shell ignore SIGINT, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command in a terminal, and the screens that it has shown."""

    def __init__(self, *words: str, environment: dict[str, str]) -> None:
        self.screen = pyte.HistoryScreen(COLUMNS, LINES, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.mine, theirs = os.openpty()
        ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "munet", *words], stdin=theirs, stdout=theirs, stderr=theirs,
            env={**os.environ, **environment, "TERM": "xterm-256color"}, start_new_session=True,
            preexec_fn=heed,
        )  # fmt: skip
        os.close(theirs)
        self.screens: list[list[str]] = []

    def until(self, met: Callable[[list[str]], bool] = lambda shown: False) -> list[str]:
        """What is shown once `met` is true of it, or at the end, with all that has gone by above."""
        end = monotonic() + 240
        while monotonic() < end:
            if select([self.mine], [], [], 0.5)[0]:
                try:
                    self.stream.feed(os.read(self.mine, 1 << 16))
                except OSError:  # nobody writes any more
                    break
                self.screens.append([line.rstrip() for line in self.screen.display])
                if met(self.screens[-1]):
                    return self.screens[-1]
            elif self.process.poll() is not None:
                break
        assert self.process.wait(10) is not None
        above = ["".join(line[at].data for at in range(COLUMNS)).rstrip() for line in self.screen.history.top]
        return [*above, *(line.rstrip() for line in self.screen.display)]


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, ...]:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    images(tmp_path / "bars", 3)
    system.add_task(NAME, f"npz:{tmp_path / 'bars'}")
    return ("evolve", str(system.path), *WORDS)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"MUNET_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}


def test_a_run_is_seen_while_it_goes_and_its_table_stays(words: tuple[str, ...], environment: dict[str, str]):
    terminal = Terminal(*words, "--samples-per-task", "512", environment=environment)
    shown = terminal.until()
    assert terminal.process.returncode == 0, "\n".join(shown)
    text = "\n".join(shown)
    lives = [screen for screen in terminal.screens if any(re.search(r"training \d/2$", line) for line in screen)]
    assert any("generation 1/2" in line for screen in lives for line in screen), text
    for live in lives:
        assert not any(NAME[:12] in line and NAME not in line for line in live), "a name is never folded"
    (table,) = [number for number, line in enumerate(shown) if line.startswith("task ")]
    assert shown[table + 2].startswith(f"{NAME} ")
    assert "mean test accuracy" in text
    assert not any("generation" in line for line in shown), "the live view has gone"
    assert terminal.screen.cursor.hidden is False


def test_the_table_is_there_after_an_interrupt_too(words: tuple[str, ...], environment: dict[str, str]):
    terminal = Terminal(*words, "--samples-per-task", "24000", "--set", "at_most_epoch=false", environment=environment)
    live = terminal.until(lambda shown: any("training 1/2" in line for line in shown))
    assert any("generation 1/2" in line for line in live), "\n".join(live)
    os.killpg(terminal.process.pid, signal.SIGINT)
    shown = terminal.until()
    text = "\n".join(shown)
    assert terminal.process.returncode == 130, text
    assert any(line.startswith("task ") for line in shown), text
    assert "Traceback" not in text
    assert "same command" in text
    assert terminal.screen.cursor.hidden is False
