"""Inputs near to valid ones for every decoder, in a process with little memory: `fuzzing.py DECODER CASES [naive]`.

Prints one line of JSON: how many inputs there were, how many were taken, and what did not end in one of our errors,
took too long or more memory than there was. `naive` takes bounds and checks away, to see that this tells.
"""

import io
import json
import random
import resource
import signal
import struct
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

import munet.allocation.data.archives
import munet.search
import munet.store.reading
from munet.errors import MunetError
from munet.fs.decoding import DecodingError, decode_json
from munet.importing.csv_table import read_table
from munet.search.loading import load_method
from munet.store import Store, manifests
from munet.store.layer_file import LayerFormatError, id_of_bytes, refuse_infinite
from munet.store.records import NewerError, RecordError, canonical, seal
from munet.tasks.splits import resolve
from store_tools import grown_store, layer_bytes, model_of, safetensors_bytes

MEMORY = 300 << 20  # bytes above what the process takes before it begins
SECONDS = 10
OURS = (MunetError, DecodingError, RecordError, NewerError, LayerFormatError, SafetensorError)
Feed = Callable[[bytes], object]
WORDS = (
    *(b"[", b"{", b"]", b"}", b'"', b",", b":", b"-", b"0", b"1e999", b"NaN", b"null", b"true", b"\\ud800", b"\\u0000"),
    *(b"9" * 30, b"9" * 5000, b"[" * 2000, b'{"a":' * 200, b"\xff", b"\x00" * 9, b"a." * 300, b"[[", b"'''", b"%]"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1 << 40, 10**25, 2.5, 1e308, "", "x" * 300, "../../x", "\u202e", [], {}, [[]], {"a": []}),
    *([1 << 40, 1 << 40], ["train", 0, 1 << 62], "0" * 64, "F64"),
)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Bytes near to the given ones."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        place = draw.randrange(len(changed) + 1)
        match draw.randrange(5):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << draw.randrange(8)
            case 1:
                changed[place:place] = draw.choice(WORDS)
            case 2:
                del changed[place : place + draw.choice((1, 8, 64))]
            case 3:
                changed[place:place] = changed[place : place + draw.choice((4, 40))] * draw.choice((1, 30))
            case _:
                changed[place : place + draw.choice((1, 8))] = draw.choice(WORDS)
    return bytes(changed)


def changed_value(value: Any, draw: random.Random) -> Any:
    """The same JSON value with something within it replaced, taken out, or put where it does not belong."""
    if isinstance(value, dict) and value and draw.random() < 0.8:
        key = draw.choice(sorted(value))
        if draw.random() < 0.1:
            return {name: part for name, part in value.items() if name != key}
        return {**value, draw.choice((key, key, key, "x")): changed_value(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.8:
        place = draw.randrange(len(value))
        return [*value[:place], changed_value(value[place], draw), *value[place + draw.randrange(2) :]]
    return draw.choice(VALUES)


def lying(shape: str, draw: random.Random) -> bytes:
    """An archive, sound but for the shape that its images claim to have."""
    header = mutated(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode(), draw)
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) & 0xFFFF) + header + bytes(300)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        archive.writestr("image.npy", npy)
        archive.writestr("label.npy", npy)
    return data.getvalue()


def sealed(good: Mapping[str, Any], draw: random.Random) -> bytes:
    """A record with something replaced, and sealed again."""
    key = draw.choice(sorted(good))
    return seal({**good, key: changed_value(good[key], draw)}, "it")


class Decoders:
    """What reads outside bytes, each with inputs that it takes, made in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, grown_store(folder / "s")

    def made(self, name: str, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        return getattr(self, f"_{name}")(draw)

    def _record(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        """A task's record, whole or with any value in it replaced and sealed again."""
        path, good = self.store.task_path("b"), self.store.read_task("b")
        whole = path.read_bytes()

        def sample() -> bytes:
            return mutated(whole, draw) if draw.random() < 0.3 else sealed(good, draw)

        return sample, lambda data: (path.write_bytes(data), self.store.read_task("b"))

    def _generation(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        path, good = self.store.run_path("0001", "b-0000-0000"), self.store.read_run("0001", "b-0000-0000")

        def feed(data: bytes) -> None:
            path.write_bytes(data)
            self.store.read_run("0001", "b-0000-0000")

        return lambda: sealed(good, draw), feed

    def _manifest(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        good = dict(self.store.get_model(model_of(self.store, "a")))

        def sample() -> bytes:
            data = canonical(changed_value(good, draw), "it")
            return mutated(data, draw) if draw.random() < 0.3 else data

        return sample, manifests.decode

    def _marker(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        path = self.store.path / "munet.json"
        whole = path.read_bytes()
        return lambda: mutated(whole, draw), lambda data: (path.write_bytes(data), Store.open(self.store.path))

    def _lineage(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        path, model = self.store.path / ".lineage", model_of(self.store, "a")
        whole = b"munet-lineage-1\n" + bytes.fromhex(model * 2) + bytes(32)

        def feed(data: bytes) -> None:
            path.write_bytes(data)
            assert Store.open(self.store.path).facts.parent(model) == self.store.root

        return lambda: mutated(whole, draw), feed

    def _layer(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        header = {
            "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "U8", "shape": [8], "data_offsets": [24, 32]},
        }
        whole = (safetensors_bytes(header, bytes(32)), layer_bytes("x", 40))

        def sample() -> bytes:
            if draw.random() < 0.5:
                return mutated(draw.choice(whole), draw)
            return safetensors_bytes(changed_value(header, draw), bytes(32))

        def feed(data: bytes) -> None:
            id_of_bytes(data)
            refuse_infinite(data)
            safetensors.numpy.load(data)

        return sample, feed

    def _json(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        whole = canonical(dict(self.store.get_model(self.store.root)), "it")
        return lambda: mutated(whole, draw), decode_json

    def _method(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        path = self.folder / "method.toml"
        whole = (Path(munet.search.__file__).parent / "presets" / "mu2net-plus.toml").read_bytes()
        lines = whole.splitlines(keepends=True)

        def sample() -> bytes:
            return mutated(b"".join(draw.sample(lines, 20)) if draw.random() < 0.5 else whole, draw)

        return sample, lambda data: (path.write_bytes(data), load_method(str(path)))

    def _split(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        whole = (b"train[5%:]", b"train[10:20]+test", b"validation[-10%:]", b"train[:1_000]")

        def feed(data: bytes) -> None:
            resolve(data.decode("latin-1"), {"train": 1000, "test": 10, "validation": 99})

        return lambda: mutated(draw.choice(whole), draw), feed

    def _npz(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        path, whole = self.folder / "a.npz", []
        for save in (np.savez, np.savez_compressed):
            data = io.BytesIO()
            save(data, image=np.arange(300, dtype=np.uint8).reshape(3, 10, 10), label=np.arange(3))
            whole.append(data.getvalue())
        shapes = ("(3, 10, 10)", "(3, 10, 10**9)", "(999999999,)", "(-1,)", "(9,)" * 99, "(" * 300, "(3, 10, 1e9)")

        def sample() -> bytes:
            return mutated(draw.choice(whole), draw) if draw.random() < 0.7 else lying(draw.choice(shapes), draw)

        def feed(data: bytes) -> None:
            path.write_bytes(data)
            munet.allocation.data.archives.read_arrays(path, ("image", "label"))

        return sample, feed

    def _csv(self, draw: random.Random) -> tuple[Callable[[], bytes], Feed]:
        path, whole = self.folder / "a.csv", b'id,score,layers\n1,0.5,"[1, 2]"\n2,,"{""a"": 1}"\n'

        def feed(data: bytes) -> None:
            path.write_bytes(data)
            for row in read_table(path, ("id",)):
                row.json("layers", list)

        return lambda: mutated(whole, draw), feed


NAMES = tuple(sorted(name[1:] for name in vars(Decoders) if name[0] == "_" and name[1] != "_"))


def be_naive() -> None:
    """What everybody would write: the values taken for what they should be, arrays for as large as they say."""
    munet.store.reading.wrong_type = lambda value, wanted: None
    manifests.wrong_type = lambda value, wanted: None
    munet.allocation.data.archives.read_arrays = lambda file, names: {name: np.load(file)[name] for name in names}


def ring(number: int, frame: object) -> None:
    raise TimeoutError


def feed(name: str, cases: int, draw: random.Random, folder: Path, seconds: int = 0) -> dict[str, Any]:
    """Feed a decoder: how many inputs there were, how many were taken, and the faults by how often they came."""
    faults, taken = Counter[str](), 0
    sample, decode = Decoders(folder).made(name, draw)
    for _ in range(cases):
        data = sample()
        signal.alarm(seconds)
        try:
            decode(data)
            taken += 1
        except OURS as error:
            if "\n" in str(error).strip():
                faults[f"more than a line: {str(error)[:80]!r}"] += 1
        except Exception as error:
            faults[f"{type(error).__name__}: {str(error)[:100]}"] += 1
        finally:
            signal.alarm(0)
    return {"cases": cases, "taken": taken, "faults": dict(faults.most_common(500))}


def main(name: str, cases: int, *words: str) -> None:
    if "naive" in words:
        be_naive()
    signal.signal(signal.SIGALRM, ring)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(feed(name, cases, random.Random(name), Path(folder), SECONDS)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
