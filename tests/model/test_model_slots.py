import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import munet
from munet.errors import InputError
from munet.model import slots
from munet.model.vit import ViTArchitecture

NUMBERS = st.integers(0, 999)
# Letters, digits and dots in any order: among them names that look like slots and are none.
NAMES = st.text("abk.0159", min_size=1, max_size=12) | st.builds(
    lambda kind, rest: kind + rest, st.sampled_from(["block", "adapter", "layer", "pool", "norm"]), st.text(".017c")
)


@given(NUMBERS, st.text("conv.-_012", min_size=1, max_size=8))
def test_what_is_made_is_parsed_again(number: int, component: str):
    assert slots.parse(slots.block(number)) == ("block", number, None)
    assert slots.parse(slots.adapter(number)) == ("adapter", number, None)
    assert slots.parse(slots.shared_layer(number)) == ("layer", number, None)
    assert slots.parse(slots.pool_component(number, component)) == ("pool", number, component)


@given(NAMES)
def test_every_name_is_what_its_parts_say(name: str):
    assert slots.parse(name).name == name


def test_numbers_are_written_in_one_way():
    assert slots.parse("block.07") == ("block", None, "07")
    assert slots.block_number("block.07") is None
    assert slots.block_number("block.²") is None


@given(st.lists(NAMES, unique=True, max_size=12))
def test_the_order_is_total_and_tells_every_two_apart(names: list[str]):
    keys = [slots.slot_order(name) for name in names]
    assert len(set(keys)) == len(names)
    mixed = names[::-1]
    assert sorted(mixed, key=slots.slot_order) == sorted(names, key=slots.slot_order)


@given(st.integers(0, 14), st.sets(st.integers(0, 13)), st.booleans(), st.randoms())
def test_sorted_slots_are_in_forward_order(blocks: int, adapters: set[int], head: bool, random):
    architecture = ViTArchitecture(16, 48, 3, 192, global_pool="map")
    names = list(architecture.slots(blocks, adapters, head=head))
    mixed = names.copy()
    random.shuffle(mixed)
    assert sorted(mixed, key=slots.slot_order) == names
    assert slots.depth_of(mixed) == slots.blocks_in(mixed) == blocks
    assert slots.adapters_of(mixed) == {k for k in adapters if k < blocks}
    assert [name for name in names if slots.parse(name).number is not None] == slots.body(blocks, adapters)


def test_components_of_a_pool_are_in_the_order_of_their_numbers():
    names = ["layer.0", "pool.1.conv2", "pool.1.conv10", "pool.1.skip", "layer.2", "pool.10.a", "head", "new.kind"]
    mixed = names[::-1]
    assert sorted(mixed, key=slots.slot_order) == names


def test_kinds_are_told_apart():
    assert [slots.is_block(name) for name in ("block.12", "adapter.3", "block", "block.1.x")] == [True, *[False] * 3]
    assert [slots.is_adapter(name) for name in ("adapter.3", "block.3", "adapter")] == [True, False, False]
    assert [slots.is_shared_layer(name) for name in ("layer.3", "pool.3.layer", "layer")] == [True, False, False]
    assert (slots.block_number("block.12"), slots.adapter_number("adapter.3")) == (12, 3)
    assert (slots.block_number("adapter.3"), slots.adapter_number("norm")) == (None, None)


def test_one_stage_reads_the_whole_stem():
    found = [slots.stage_of(name) for name in ("embedding", "cls", "posembed", "adapter.0", "block.0", "pool", "head")]
    assert found == ["posembed", "posembed", "posembed", "adapter.0", "block.0", "pool", "head"]


def test_a_missing_block_is_refused():
    assert slots.depth_of(["block.1", "norm", "block.0", "adapter.1"]) == 2
    with pytest.raises(InputError, match=r"blocks \[0, 2\] do not follow"):
        slots.depth_of(["block.0", "block.2"])


def test_nobody_else_takes_slot_names_apart():
    made = r'f"(block|adapter|layer|pool)\.\{'
    taken_apart = r'(startswith|removeprefix)\(\(?"(block|adapter|layer)\.?"'
    root = Path(munet.__file__).parent
    lines = [(file, line) for file in root.rglob("*.py") for line in file.read_text().splitlines()]
    found = [f"{file.relative_to(root)}: {line}" for file, line in lines if re.search(f"{made}|{taken_apart}", line)]
    assert found == []


def test_no_torch_on_the_way():
    code = "import sys, munet.model.slots, munet.search; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
