"""The checked plan of an import: which component fills which slot of which model, and where its tensors are.

Everything is checked here, on the tables and on the index of the checkpoints, before a byte is written: that each
component is there once, its name, shapes and dtypes, that the slots make a whole model, and who shares what.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from munet.errors import InputError
from munet.importing.components import OPTIMISER, SLOTS, Component, read_components, slot_named
from munet.importing.lineage import Family
from munet.importing.state import Key, Model, State, key_text
from munet.model.cost import accounted_parameters, slot_sizes
from munet.model.slots import adapter, adapters_of, block, depth_of, is_block, parse
from munet.model.vit import ViTArchitecture

_WEIGHTS = ("float32", "bfloat16", "float16")  # all exact in fp32, which is what layers hold


@dataclass(frozen=True)
class Blueprint:
    """One model to import, or the root: its slots in forward order and what it is like."""

    model: Model
    slots: Mapping[str, Key]
    image_size: int  # pixels
    classes: int | None  # None: a root
    adapters: Mapping[int, int]  # block -> hidden width of the adapter before it
    sizes: Mapping[str, int]  # slot -> parameters

    @property
    def num_blocks(self) -> int:
        return depth_of(self.slots)


@dataclass(frozen=True)
class Plan:
    """All that is imported. `left_out` counts the components that no imported model uses."""

    architecture: ViTArchitecture
    root: Blueprint
    models: list[Blueprint]  # parents first
    components: Mapping[Key, Component]  # that are used
    left_out: int
    notes: list[str]


def plan(state: State, family: Family) -> Plan:
    """Check a state against the index of its checkpoints. InputError names what is wrong."""
    stored = read_components(state)
    notes = [*state.notes, *family.notes]
    slots = {model.key: _slots(model, stored, state) for model in [family.root, *family.retained]}
    architecture = _architecture(slots, stored, family.root)
    deepest = max(depth_of(slots[model.key]) for model in family.retained)
    root_slots = _without_dead_blocks(family.root, slots[family.root.key], deepest, notes)
    root = _blueprint(architecture, family.root, root_slots, stored)
    models = [_blueprint(architecture, model, slots[model.key], stored) for model in family.retained]
    used = {key for blueprint in [root, *models] for key in blueprint.slots.values()}
    _compare_sharing(state, models, notes)
    components = {key: stored[key] for key in stored if key in used}
    return Plan(architecture, root, models, components, len(stored) - len(used), notes)


def _slot(component: Component, model: Model) -> str:
    slot = slot_named(component.name)
    if slot is None:
        known = ", ".join([*SLOTS, "encoderblock_N", "residual_adapter_N"])
        raise InputError(
            f"{model.name} uses '{component.name}', which is no component of a plain ViT: there is {known}"
        )
    return slot


def _slots(model: Model, stored: Mapping[Key, Component], state: State) -> dict[str, Key]:
    """Component of each slot, in forward order."""
    found: dict[str, Key] = {}
    for key in model.components:
        if key not in stored:
            called = f" ({state.names[key]})" if key in state.names else ""
            where = state.checkpoints[0] if len(state.checkpoints) == 1 else "any checkpoint"
            raise InputError(f"{model.name}: its component {key_text(key)}{called} is not in {where}: copy it again")
        slot = _slot(stored[key], model)
        if slot in found:
            raise InputError(f"{model.name} has two components {stored[key].name}")
        found[slot] = key
    stray = [adapter(k) for k in adapters_of(found) if block(k) not in found]
    try:
        depth = depth_of(found)
    except InputError as error:
        raise InputError(f"{model.name}: {error}") from error
    wanted = ViTArchitecture(16, 1, 1, 1).slots(depth, adapters_of(found), head=model.task is not None)
    missing = [slot for slot in wanted if slot not in found]
    if missing or stray:
        stated = f"has no component for the slot {missing[0]}" if missing else f"has {stray[0]} and no block behind it"
        raise InputError(f"{model.name} {stated}")
    return {slot: found[slot] for slot in wanted}


def _architecture(
    slots: Mapping[Key, Mapping[str, Key]], stored: Mapping[Key, Component], root: Model
) -> ViTArchitecture:
    """Patch, widths and heads, as the tensors tell them."""
    patches = stored[slots[root.key]["embedding"]]
    blocks = (stored[key] for mine in slots.values() for slot, key in mine.items() if is_block(slot))
    first = next(blocks, None)
    if first is None:
        raise InputError(f"no model of {patches.file} has an encoder block: its heads cannot be known")
    kernel = _shape(patches, "kernel", 4)
    query = _shape(first, "MultiHeadDotProductAttention_0/query/kernel", 3)
    hidden = _shape(first, "MlpBlock_0/Dense_0/kernel", 2)[1]
    if 0 in (*kernel, *query, hidden) or kernel[2] != 3:
        raise InputError(f"{patches.file}: kernel of embedding:{key_text(patches.key)} is {kernel}, which fits no ViT")
    try:
        # the published code computes GELU in its tanh form everywhere, and scales pixels to [-1, 1]
        return ViTArchitecture(kernel[0], kernel[3], query[1], hidden, act="gelu_tanh", adapter_act="gelu_tanh")
    except InputError as error:
        raise InputError(f"{first.file}: {error}") from error


def _shape(component: Component, name: str, sides: int) -> tuple[int, ...]:
    array = component.arrays.get(name)
    if array is None or len(array.shape) != sides:
        raise InputError(f"{component.file}: component {component.name}:{key_text(component.key)} has no proper {name}")
    return array.shape


def _without_dead_blocks(root: Model, slots: Mapping[str, Key], deepest: int, notes: list[str]) -> dict[str, Key]:
    """The root's slots but for its head and for the blocks that no child could ever take."""
    used = max(deepest, root.row.whole("hparams.num_layers") or 0)
    kept = {slot: key for slot, key in slots.items() if slot != "head"}
    dead = [slot for slot in kept if (parse(slot).number or 0) >= max(used, 1)]
    if dead:
        blocks = sum(map(is_block, dead))
        notes.append(f"the root has {blocks} blocks above the {used} that its children use: they are left out")
    return {slot: key for slot, key in kept.items() if slot not in dead}


def _blueprint(
    a: ViTArchitecture, model: Model, slots: Mapping[str, Key], stored: Mapping[Key, Component]
) -> Blueprint:
    """What a model is like; InputError unless all its tensors have the shapes that follow from it."""
    rows = _shape(stored[slots["posembed"]], "pos_embedding", 3)[1]
    size = model.row.whole("hparams.ds_image_size") or round(max(rows - 1, 0) ** 0.5) * a.patch_size
    if model.task is not None:
        _compare(model, "num_layers", depth_of(slots), "encoder blocks")
    adapters = {k: _shape(stored[slots[adapter(k)]], "Dense_0/kernel", 2)[1] for k in sorted(adapters_of(slots))}
    if adapters:
        for dim in adapters.values():
            _compare(model, "adapter_dim", dim, "as hidden width of an adapter")
    classes = _shape(stored[slots["head"]], "kernel", 2)[1] if "head" in slots else None
    if classes is not None:
        _compare(model, "num_classes", classes, "outputs of its head")
    try:
        a.check_image_size(size)
    except InputError as error:
        raise InputError(f"{model.name}: {error}") from error
    extents = {"posembed": size, "head": classes or 0} | {adapter(k): dim for k, dim in adapters.items()}
    for slot, key in slots.items():
        _check_arrays(a, slot, extents.get(slot, 0), stored[key], model)
    sizes = slot_sizes(a, depth_of(slots), size, classes, adapters)
    return Blueprint(model, slots, size, classes, adapters, sizes)


def _compare(model: Model, setting: str, found: int, what: str) -> None:
    stated = model.row.whole(f"hparams.{setting}")
    if stated is not None and stated != found:
        raise InputError(f"{model.name}: hparams.{setting} is {stated}, but its tensors have {found} {what}")


def _check_arrays(a: ViTArchitecture, slot: str, extent: int, component: Component, model: Model) -> None:
    """Names, shapes and dtypes of a component's arrays and of its momentum."""
    from munet.roots.flax_layers import shapes_of

    wanted = shapes_of(slot, a, extent)
    if component.odd:
        what = f"{component.file}: {component.name}:{key_text(component.key)}"
        raise InputError(f"{what} has {component.odd[0] or 'a value'}, which is no array of numbers")
    for arrays, start in ((component.arrays, ""), (component.momentum, OPTIMISER)):
        if arrays is None:
            continue
        what = f"{component.file}: {start}{component.name}:{key_text(component.key)}"
        odd = sorted(wanted.keys() ^ arrays.keys())
        if odd:
            raise InputError(f"{what} has {'no' if odd[0] in wanted else 'an unknown'} {odd[0] or 'array of its own'}")
        for name, array in arrays.items():
            if array.shape != wanted[name]:
                raise InputError(f"{what}: {name or 'its array'} is {array.shape}, {model.name} needs {wanted[name]}")
            if array.dtype not in _WEIGHTS:
                raise InputError(f"{what}: {name or 'its array'} is {array.dtype}: {', '.join(_WEIGHTS)} can be read")


def _compare_sharing(state: State, models: Iterable[Blueprint], notes: list[str]) -> None:
    """Note where the sizes that follow from who shares what are not those that were saved with the system."""
    if state.format == "mu3net":
        return  # its code counts the root as one of those who share
    owners: dict[Key, set[str | None]] = {}
    for blueprint in models:
        for key in blueprint.slots.values():
            owners.setdefault(key, set()).add(blueprint.model.task)
    odd = []
    for blueprint in models:
        stated, task = blueprint.model.accounted, blueprint.model.task or ""
        mine = accounted_parameters(blueprint.sizes, blueprint.slots, owners, task)  # type: ignore[arg-type]
        if stated is not None and abs(mine - stated) > max(1.0, 1e-6 * stated):
            odd.append(f"{task} {stated:,.0f} (now {mine:,.0f})")
    if odd:
        more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
        notes.append(f"accounted parameters differ from those saved with {', '.join(odd[:3])}{more}")
