"""Break lines of a package at random, one at a time: do its tests notice? mutmut's changes, a seeded sample.

    python tools/mutation_sample.py store --number 100 --seed 1

prints each change that no test noticed, and the score. mutmut itself tries every change and keeps what it found
(`make mutation`), which takes hours. This differs from it in two ways: every change runs all tests of the package's
folders, also those that reach it through another process, and the package is imported under the change, so that a
changed function which runs while it is imported counts. What hangs, or keeps pytest from starting, counts as caught.
"""

import argparse
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

REPO = Path(__file__).resolve().parent.parent
FOLDERS = {"store": ("store", "fs")}  # of the tests; those of other packages have the package's name
LATE = ("bookkeeping", "collect", "damage", "faults", "machine", "power", "kill", "properties")  # slow, so run last
SLOWEST = 300  # seconds that the tests may take before a change counts as one that hangs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", choices=("model", "search", "store", "training"))
    parser.add_argument("--number", type=int, default=100, help="of changes to try (100)")
    parser.add_argument("--seed", type=int, default=1, help="which changes are drawn (1)")
    parser.add_argument("--processes", type=int, default=2, help="tried at once (2)")
    options, pytest_arguments = parser.parse_known_args()  # what it does not know is for pytest
    with tempfile.TemporaryDirectory(prefix="mutation-", dir=fast_folder()) as scratch:
        copy = copied_repository(Path(scratch))
        changes = changed_package(copy, options.package)
        drawn = random.Random(options.seed).sample(sorted(changes), min(options.number, len(changes)))
        sys.path.insert(0, str(copy / "src"))
        os.environ["PYTHONPATH"] = sys.path[0]
        os.chdir(copy)
        preload()
        command = [*tests_of(options.package), *pytest_arguments]
        if run_all([""], command, 1)[""] != 0:
            print("the tests fail without any change: mend them first", file=sys.stderr)
            return 1
        codes = run_all(drawn, command, options.processes)
        survivors = [name for name in drawn if codes[name] == 0]
        for name in survivors:
            print(f"\n{name}\n{changes[name]}")
        hung = sum(code is None for code in codes.values())
        caught = len(drawn) - len(survivors)
        print(f"\n{options.package}: {caught} of {len(drawn)} caught ({caught / len(drawn):.0%}), {hung} by hanging;")
        print(f"drawn from {len(changes)} with seed {options.seed}")
    return 0


def fast_folder() -> str | None:
    """Memory where there is some to write in: the tests of the store wait for the disk most of the time."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def copied_repository(scratch: Path) -> Path:
    """The files that git knows, in a folder of their own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        target = scratch / "repository" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / name, target)
    return scratch / "repository"


def changed_package(copy: Path, package: str) -> dict[str, str]:
    """Put all changes into the copy's files, asleep until MUTANT_UNDER_TEST names one. Name -> the change as a diff."""
    changes: dict[str, str] = {}
    for file in sorted((copy / "src/munet" / package).glob("*.py")):
        mutated = mutate_file_contents(str(file), file.read_text())
        lines, spans = mutated.code.splitlines(), mutated.line_span_by_function_name
        for name in mutated.mutant_names:
            function = name.rpartition("__mutmut_")[0]
            before, after = (
                [line.replace(of, function) for line in lines[spans[of].start - 1 : spans[of].end]]
                for of in (f"{function}__mutmut_orig", name)
            )
            diff = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
            changes[f"munet.{package}.{file.stem}.{name}"] = "\n".join(line for line in diff if line[:2] != "@@")
        file.write_text(mutated.code)
    return changes


def tests_of(package: str) -> list[str]:
    """Files of the package's tests, the quick ones first."""
    folders = FOLDERS.get(package, (package,))
    files = [str(file) for folder in folders for file in Path("tests", folder).glob("test_*.py")]
    return sorted(files, key=lambda file: (any(word in file for word in LATE), file))


def preload() -> None:
    """Import once, before forking, what every run needs and no change touches."""
    import numpy as np  # noqa: F401
    import pydantic  # noqa: F401
    import torch  # noqa: F401


def run_all(names: list[str], command: list[str], processes: int) -> dict[str, int | None]:
    """Name -> exit code of pytest under that change; None where it hung."""
    waiting, codes = list(names), dict[str, int | None]()
    running: dict[int, tuple[str, float]] = {}
    while waiting or running:
        while waiting and len(running) < processes:
            name = waiting.pop(0)
            running[fork(name, command)] = (name, time.monotonic())
        for pid, (name, since) in list(running.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                codes[name] = os.waitstatus_to_exitcode(status)
            elif time.monotonic() - since > SLOWEST:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                codes[name] = None
            else:
                continue
            del running[pid]
            if name:
                print(f"{len(codes)}/{len(names)} {'survived' if codes[name] == 0 else 'caught'} {name}", flush=True)
        time.sleep(0.05)
    return codes


def fork(name: str, command: list[str]) -> int:
    """Begin pytest in a process of its own under this change; its id."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    os.environ["MUTANT_UNDER_TEST"] = name
    code = 70
    try:
        if name:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
        import pytest

        temporary = Path.cwd().parent / f"tests-{os.getpid()}"
        code = int(
            pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", f"--basetemp={temporary}", *command])
        )
        shutil.rmtree(temporary, ignore_errors=True)
    except BaseException:  # this process must not go on as if it were the first one
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
