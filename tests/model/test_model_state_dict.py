import pytest
import torch

from model_tools import SMALL, small_vit
from munet.errors import InputError
from munet.model.from_timm import read_architecture
from munet.model.state_dict import join_state_dict, key_of, slot_of, split_state_dict


@pytest.mark.parametrize("name", SMALL)
def test_cut_and_join_are_inverse(name: str):
    vit = small_vit(name)
    state = vit.state_dict()
    layers = split_state_dict(state)
    assert tuple(layers) == read_architecture(vit).slots(2)
    joined = join_state_dict(layers)
    assert set(joined) == set(state)
    assert all(joined[key] is state[key] for key in state)


@pytest.mark.parametrize(
    ("key", "slot", "name"),
    [
        ("patch_embed.proj.weight", "embedding", "patch_embed.proj.weight"),
        ("norm_pre.weight", "embedding", "norm_pre.weight"),
        ("reg_token", "cls", "reg_token"),
        ("pos_embed", "posembed", "pos_embed"),
        ("blocks.11.attn.qkv.weight", "block.11", "attn.qkv.weight"),
        ("adapters.2.down.bias", "adapter.2", "down.bias"),
        ("fc_norm.bias", "norm", "fc_norm.bias"),
        ("attn_pool.q.weight", "pool", "q.weight"),
        ("head.bias", "head", "bias"),
    ],
)
def test_names(key: str, slot: str, name: str):
    assert slot_of(key) == (slot, name)
    assert key_of(slot, name) == key


@pytest.mark.parametrize("key", ["head_dist.weight", "rope.freqs", "blocks.x.norm1.weight", "head", "stem"])
def test_a_tensor_without_a_slot_is_refused(key: str):
    with pytest.raises(InputError, match=key):
        split_state_dict({key: torch.zeros(1)})


def test_adapters_come_before_their_blocks():
    state = {f"{kind}.{k}.norm1.weight": torch.zeros(1) for k in (1, 0) for kind in ("blocks", "adapters")}
    assert list(split_state_dict(state)) == ["adapter.0", "block.0", "adapter.1", "block.1"]


def test_gaps_are_refused():
    with pytest.raises(InputError, match="do not follow"):
        split_state_dict({"blocks.1.norm1.weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"adapter\.3"):
        split_state_dict({"blocks.0.norm1.weight": torch.zeros(1), "adapters.3.norm.weight": torch.zeros(1)})
