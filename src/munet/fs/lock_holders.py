"""Who holds a lock: from the kernel's list of locks where there is one, else from what the last holder wrote down."""

import json
import os
import pwd
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from munet.provenance import now, person

_LIST = Path("/proc/locks")
_PID = 32  # bytes of the process id at the beginning of a lock's file
_NOTE = 16384


@dataclass(frozen=True)
class Holder:
    """A process; what is not known of it is None."""

    process: int
    user: str | None = None
    host: str | None = None
    command: str | None = None
    since: str | None = None  # UTC

    def __str__(self) -> str:
        of = f" of {self.user}@{self.host}" if self.user and self.host else ""
        about = ", ".join(part for part in (self.command, self.since and f"since {self.since}") if part)
        return f"process {self.process}{of}{f' ({about})' if about else ''}"


def mark(descriptor: int) -> None:
    """Write down who took a lock just now, where that can be written: a lock holds all the same on a full disk."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    about = {**person(), "command": shlex.join([name, *sys.argv[1:]])[:1000], "since": now()}
    data = (f"{os.getpid()}\n".ljust(_PID) + json.dumps(about) + "\n").encode()
    with suppress(OSError):
        # A file that has another name too may be anything: it serves as a lock, and keeps what it holds.
        if os.fstat(descriptor).st_nlink == 1:
            os.pwrite(descriptor, data, 0)
            os.ftruncate(descriptor, len(data))


def who_holds(descriptor: int) -> str:
    """The holders of a lock in words."""
    noted = _noted(descriptor)
    listed = [_seen(process, noted) for process in _listed(os.fstat(descriptor)) if process != os.getpid()]
    found = listed or ([noted] if noted else [])
    return " and ".join(map(str, found[:3])) or "another process"


def is_held(path: Path) -> bool:
    """Whether a process of this machine holds the lock on a file, as far as this user may see; takes no lock."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    if _LIST.exists():
        return bool(_listed(found))
    try:
        holder = int(path.read_bytes()[:_PID])
        os.kill(holder, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return holder > 0


def _listed(file: os.stat_result) -> list[int]:
    """Processes that hold a lock on a file, by the kernel's list."""
    try:
        lines = _LIST.read_text().splitlines()
    except OSError:
        return []
    # `1: FLOCK  ADVISORY  WRITE 6323 fe:00:2228829 0 EOF`; those that wait have `->` behind the number
    words = [line.split() for line in lines]
    held = [word for word in words if len(word) == 8 and word[1] == "FLOCK" and word[5].endswith(f":{file.st_ino}")]
    device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:"
    exact = [word for word in held if word[5].startswith(device)]  # file systems in layers give other numbers here
    return list(dict.fromkeys(int(word[4]) for word in exact or held))


def _noted(descriptor: int) -> Holder | None:
    """The last holder, as it wrote itself down."""
    data = os.pread(descriptor, _NOTE, 0)
    try:
        process = int(data[:_PID])
    except ValueError:
        return None
    about: dict[str, Any] = {}
    with suppress(ValueError):
        about = json.loads(data[_PID:] or b"{}")
    known = {key: value for key in ("user", "host", "command", "since") if isinstance(value := about.get(key), str)}
    return Holder(process, **known)


def _seen(process: int, noted: Holder | None) -> Holder:
    """A process of this machine, by what the kernel tells of it."""
    host = person()["host"]
    if noted is not None and noted.process == process and noted.host == host:
        return noted
    folder = f"/proc/{process}"
    user = command = since = None
    with suppress(OSError, KeyError):
        user = pwd.getpwuid(os.stat(folder).st_uid).pw_name
    with suppress(OSError):
        words = Path(folder, "cmdline").read_bytes().decode(errors="replace").split("\0")
        command = shlex.join(words[:-1]) or None
    with suppress(OSError, ValueError, IndexError, StopIteration):
        since = _started(Path(folder, "stat").read_text())
    return Holder(process, user, host, command, since)


def _started(stat: str) -> str:
    """When a process began, from its line in `/proc`."""
    ticks = int(stat.rpartition(")")[2].split()[19])
    boot = next(
        int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")
    )
    moment = boot + ticks / os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
