"""A trunk in training, kept after each cycle, so that a killed run loses at most one cycle of it.

One safetensors file in the run's folder, replaced atomically: the state's tensors, its numbers as a tensor of JSON, and
in the header whose training it is, the id of the content, as for layers, and how far it is, for those who watch. What
does not match is not gone on with.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from munet.evolution.jobs import TrunkGroup
from munet.fs.tree import Tree
from munet.store.layer_file import LayerFormatError, deserialize, id_of_bytes, layer_id
from munet.store.run_records import PROGRESS, TrunkProgress
from munet.training.multitask import TrunkState

_NUMBERS = "numbers"  # tensor of JSON: accuracies, images seen, seconds


class TrunkCheckpoint:
    """The checkpoint of one group's training. Where the run's folder is not at hand, on another host, there is none."""

    def __init__(self, group: TrunkGroup) -> None:
        path = Path(group.checkpoint) if group.checkpoint else None
        self._path = path if path and path.parent.is_dir() else None
        self._files = Tree(path.parents[2]) if path else None  # <system>/runs/<run>/trunk.safetensors
        self._work, self._group = _digest(group), group

    def save(self, state: TrunkState) -> None:
        """Replace what was kept before. StoreError where it cannot be written."""
        if self._path is None or self._files is None:
            return
        from safetensors.torch import save

        numbers = json.dumps([state.accuracies, state.seen, state.seconds]).encode()
        text = torch.from_numpy(np.frombuffer(numbers, np.uint8).copy())
        tensors = {_NUMBERS: text} | {name: tensor.detach().cpu() for name, tensor in state.tensors.items()}
        header = {"work": self._work, "content": layer_id(tensors), PROGRESS: self._progress(state)}
        self._files.write(self._path, save(tensors, header))

    def _progress(self, state: TrunkState) -> str:
        tasks, cycles = [task["name"] for task in self._group.tasks], self._group.jobs[0].recipe.cycles
        told = TrunkProgress(tasks, list(self._group.shares), cycles, state.accuracies)
        return json.dumps(told._asdict())

    def load(self, note: Callable[[str], None]) -> TrunkState | None:
        """The state of this training; None where none was kept. One that is damaged or of other work is told."""
        if self._path is None or self._files is None or not self._files.has(self._path):
            return None
        try:
            data = self._files.read(self._path)
            known = _metadata(data)
            if known.get("content") != id_of_bytes(data):
                raise LayerFormatError("does not match its checksum")
        except (OSError, LayerFormatError, ValueError, AttributeError) as error:
            note(f"{self._path} is damaged ({error}): the trunk is trained from its beginning")
            return None
        if known.get("work") != self._work:
            note(f"{self._path} is of a training with other tasks or settings: the trunk is trained from its beginning")
            return None
        tensors = deserialize(data)
        accuracies, seen, seconds = json.loads(tensors.pop(_NUMBERS).numpy().tobytes())
        return TrunkState(accuracies, seen, seconds, tensors)


def _metadata(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]).get("__metadata__", {})


def _digest(group: TrunkGroup) -> str:
    """What decides how a trunk turns out, as a hash."""
    tasks = [[task["name"], task["fingerprint"], task["splits"]] for task in group.tasks]
    jobs = [
        [asdict(job.recipe), sorted(map(repr, job.child.origins.items())), sorted(job.child.trainable), repr(job.head)]
        for job in group.jobs
    ]
    work = [group.order, group.shares, group.validation_cap, [job.image_size for job in group.jobs], tasks, jobs]
    return hashlib.sha256(json.dumps(work, sort_keys=True, default=repr).encode()).hexdigest()
