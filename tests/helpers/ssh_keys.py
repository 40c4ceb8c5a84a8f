"""SSH keys for tests, and a file of those whose signatures count."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def make_key(folder: Path, name: str, passphrase: str = "") -> Path:
    """The file of a new private key; the public one lies beside it."""
    folder.mkdir(exist_ok=True)
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(key)], check=True)
    return key


def allow(file: Path, *keys: Path) -> Path:
    """A file of allowed signers: NAME@lab for each key."""
    lines = [f"{key.name}@lab {' '.join(key.with_suffix('.pub').read_text().split()[:2])}\n" for key in keys]
    file.write_text("".join(lines))
    return file
