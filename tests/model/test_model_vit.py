import subprocess
import sys

import pytest

from model_tools import TI
from munet.errors import InputError
from munet.model.vit import ViTArchitecture


def test_slots_are_in_forward_order():
    assert TI.slots(2) == ("embedding", "cls", "posembed", "block.0", "block.1", "norm", "head")
    with_adapter = TI.slots(2, adapters={1}, head=False)
    assert with_adapter == ("embedding", "cls", "posembed", "block.0", "adapter.1", "block.1", "norm")


def test_slots_without_tensors_are_left_out():
    siglip = ViTArchitecture(16, 48, 3, 192, class_token=False, global_pool="map")
    assert siglip.slots(1) == ("embedding", "posembed", "block.0", "norm", "pool", "head")
    assert "norm" not in ViTArchitecture(16, 48, 3, 192, final_norm=False).slots(1)
    assert "cls" in ViTArchitecture(16, 48, 3, 192, class_token=False, reg_tokens=2, global_pool="avg").slots(1)


def test_json_round_trip_keeps_equality_and_hash():
    architecture = ViTArchitecture(14, 48, 3, 100, act="quick_gelu", reg_tokens=4, mean=(0.1, 0.2, 0.3))
    again = ViTArchitecture.from_json(architecture.to_json())
    assert again == architecture
    assert hash(again) == hash(architecture)
    assert all(not isinstance(value, tuple) for value in architecture.to_json().values())


def test_only_adapters_with_another_activation_say_so():
    assert "adapter_act" not in TI.to_json()
    tanh = ViTArchitecture(16, 48, 3, 192, adapter_act="gelu_tanh")
    assert ViTArchitecture.from_json(tanh.to_json()) == tanh != ViTArchitecture.from_json(TI.to_json())
    with pytest.raises(InputError, match="'relu' of adapters is not one of gelu, gelu_tanh"):
        ViTArchitecture(16, 48, 3, 192, adapter_act="relu")


def test_facts_of_a_newer_version_are_refused():
    with pytest.raises(InputError, match="'rotary'"):
        ViTArchitecture.from_json({**TI.to_json(), "rotary": True})


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"act": "relu"}, "relu"),
        ({"global_pool": "max"}, "max"),
        ({"heads": 5}, "5 heads"),
        ({"class_token": False}, "class token"),
    ],
)
def test_impossible_facts_are_refused(facts: dict, message: str):
    with pytest.raises(InputError, match=message):
        ViTArchitecture(**{"patch_size": 16, "width": 48, "heads": 3, "mlp_hidden": 96, **facts})


@pytest.mark.parametrize(("size", "near"), [(30, "16 or 32"), (33, "32 or 48"), (15, "use 16$"), (0, "16"), (-4, "16")])
def test_image_size_names_the_nearest_that_work(size: int, near: str):
    with pytest.raises(InputError, match=near):
        TI.check_image_size(size)


def test_tokens_and_position_rows():
    assert (TI.grid(32), TI.tokens(32), TI.posembed_rows(32)) == (2, 5, 5)
    registers = ViTArchitecture(14, 48, 3, 192, reg_tokens=4, no_embed_class=True)
    assert (registers.tokens(28), registers.posembed_rows(28)) == (9, 4)


def test_no_torch_on_the_way():
    code = "import sys, munet.model.vit, munet.model.cost, munet.model.state_dict; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
