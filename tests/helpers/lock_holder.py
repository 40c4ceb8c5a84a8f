"""Holds a lock until a line comes: lock_holder.py shared|exclusive|alone PATH. Says "in" once it has it."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from munet.fs import locks


def lock(how: str, path: Path) -> AbstractContextManager[None]:
    turn = path.with_name(".turn")
    ways = {"shared": lambda: locks.shared(path, turn), "exclusive": lambda: locks.exclusive(path, turn)}
    return ways[how]() if how in ways else locks.alone(path, "testing")


if __name__ == "__main__":
    with lock(sys.argv[1], Path(sys.argv[2])):
        print("in", flush=True)
        sys.stdin.readline()
