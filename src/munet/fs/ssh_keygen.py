"""Signatures by OpenSSH: its program `ssh-keygen -Y` makes and checks them, as it does for git. None is computed here.

A signature is text, `-----BEGIN SSH SIGNATURE-----` and so on, over bytes and a namespace. It says with which key it
was made; whose key that is says a file of allowed signers (`man ssh-keygen`), one `NAME KEYTYPE KEY` a line.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from munet.errors import InputError

NAMESPACE = "munet"
_TAKES = 60.0  # seconds; a key in hardware waits for a finger
_MISSING = (
    "signatures need the program ssh-keygen of OpenSSH 8.2 or newer, which is not on the path: install openssh-client"
)

_NO_KEY = "is no SSH key: name the file of one, as `ssh-keygen -t ed25519` makes it"


def sign(data: bytes, key: Path) -> str:
    """The signature of a private key, or of the public one whose private key an agent holds. InputError."""
    key = key.expanduser()
    if not key.is_file():
        raise InputError(f"{key} {_NO_KEY}", kind="missing-file")
    # On a terminal ssh-keygen itself asks for a passphrase.
    done = _ssh_keygen(["sign", "-n", NAMESPACE, "-f", str(key)], data)
    if done.returncode:
        raise InputError(
            f"{key} cannot sign ({_reason(done)}): a key with a passphrase signs from an agent, `ssh-add {key}`, or "
            "name another key",
            kind="signature",
        )
    return done.stdout.decode("ascii", "replace")


def key_of(key: Path) -> str:
    """The fingerprint of a key in a file, as `SHA256:…`. InputError."""
    key = key.expanduser()
    done = _run(["-l", "-f", str(key)], b"")
    words = done.stdout.decode("utf-8", "replace").split()
    if done.returncode or len(words) < 2:
        raise InputError(f"{key} {_NO_KEY}", kind="signature")
    return words[1]


def key_behind(data: bytes, signature: str) -> str | None:
    """The fingerprint of the key that signed exactly these bytes, whoever it belongs to; None for a bad signature."""
    done = _checked("check-novalidate", ["-n", NAMESPACE], data, signature)
    return None if done.returncode else done.stdout.decode("utf-8", "replace").split()[-1]


def names_of(signature: str, allowed: Path) -> list[str]:
    """Who may have made a signature, by a file of allowed signers; the signature itself is not looked at yet."""
    done = _checked("find-principals", ["-f", str(signers_file(allowed))], b"", signature)
    return [] if done.returncode else done.stdout.decode("utf-8", "replace").split("\n")[:-1]


def is_by(name: str, data: bytes, signature: str, allowed: Path) -> bool:
    """Whether somebody of that file signed exactly these bytes, with a key that is his today."""
    words = ["-f", str(signers_file(allowed)), "-I", name, "-n", NAMESPACE]
    return _checked("verify", words, data, signature).returncode == 0


def signers_file(allowed: Path) -> Path:
    """The whole path of such a file. InputError where it cannot be read, or no ssh-keygen could look into it."""
    allowed = allowed.expanduser().absolute()
    if shutil.which("ssh-keygen") is None:
        raise InputError(_MISSING, kind="missing-extra")
    if not os.access(allowed, os.R_OK) or not allowed.is_file():
        raise InputError(
            f"{allowed}, which should say whose signatures count, cannot be read: put a line `NAME KEYTYPE KEY` there "
            "for each signer",
            kind="missing-file",
        )
    return allowed


def _checked(what: str, words: list[str], data: bytes, signature: str) -> "subprocess.CompletedProcess[bytes]":
    with tempfile.NamedTemporaryFile(prefix="munet-", suffix=".sig") as file:
        file.write(signature.encode("utf-8", "replace"))
        file.flush()
        return _ssh_keygen([what, *words, "-s", file.name], data)


def _ssh_keygen(words: list[str], data: bytes) -> "subprocess.CompletedProcess[bytes]":
    return _run(["-Y", *words], data)


def _run(words: list[str], data: bytes) -> "subprocess.CompletedProcess[bytes]":
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(["ssh-keygen", *words], input=data, capture_output=True, env=environment, timeout=_TAKES)
    except FileNotFoundError as error:
        raise InputError(_MISSING, kind="missing-extra") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(f"ssh-keygen gave no answer for {_TAKES:g} seconds: try again", kind="signature") from error


def _reason(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Signing data")]
    return told[-1].strip() if told else f"ssh-keygen ended with {done.returncode}"
