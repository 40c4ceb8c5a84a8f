"""The components that the checkpoints of a published system hold, by key, with their arrays still unread."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from munet.errors import InputError
from munet.importing.flax_checkpoint import Arrays, StoredArray, read_index
from munet.importing.state import Key, State, key_text
from munet.model.slots import adapter, block

OPTIMISER = "opt_state:"
SLOTS = {"embedding": "embedding", "cls": "cls", "posembed_input": "posembed", "encoder_norm": "norm", "head": "head"}
_NUMBERED = re.compile(r"(encoderblock|residual_adapter)_(\d+)")


def slot_named(name: str) -> str | None:
    """The slot of a component's name; None for what is no component of a plain ViT."""
    match = _NUMBERED.fullmatch(name)
    if match:
        return (block if match[1] == "encoderblock" else adapter)(int(match[2]))
    return SLOTS.get(name)


@dataclass(frozen=True)
class Component:
    """A component in a checkpoint. `momentum`: the buffers of the optimiser, where it was trained. `odd` names what
    it holds besides arrays, which is nothing."""

    key: Key
    name: str
    file: Path
    arrays: Mapping[str, StoredArray]
    momentum: Mapping[str, StoredArray] | None
    odd: tuple[str, ...]


def read_components(state: State) -> dict[Key, Component]:
    """Every component of every checkpoint."""
    found: dict[Key, Component] = {}
    for file in state.checkpoints:
        index = read_index(file)
        momentum = {key.removeprefix(OPTIMISER): key for key in index if key.startswith(OPTIMISER)}
        for text, arrays in index.items():
            if text.startswith(OPTIMISER):
                continue
            key, name = _parse(text, file, agents=state.format == "mu3net")
            if key in found:
                raise InputError(f"component {key_text(key)} is there twice, in {found[key].file} and in {file}")
            if state.names.get(key, name) != name:
                raise InputError(f"component {key_text(key)} is {name} in {file} and {state.names[key]} in the table")
            buffers = index[momentum.pop(text)] if text in momentum else None
            odd = tuple(name for held in (arrays, buffers or {}) for name, array in held.items() if array is None)
            kept = None if buffers is None else _arrays(buffers)
            found[key] = Component(key, name, file, _arrays(arrays), kept, odd)
        if momentum:
            raise InputError(f"{file} has {next(iter(momentum.values()))} but not the component that it belongs to")
    return found


def _parse(text: str, file: Path, *, agents: bool) -> tuple[Key, str]:
    """Key and name of `head:17`, or of `head:Vit~mnist:17`."""
    name, _, rest = text.partition(":")
    agent, _, number = rest.rpartition(":")
    if not name or not number.isdecimal() or bool(agent) != agents:
        wanted = "name:agent:number" if agents else "name:number"
        raise InputError(f"{file} has a component {text!r}, which is not {wanted}: it is no checkpoint of this format")
    return (agent, int(number)), name


def _arrays(held: Arrays) -> dict[str, StoredArray]:
    from munet.roots.flax_layers import newer_name

    return {newer_name(name): array for name, array in held.items() if array is not None}
