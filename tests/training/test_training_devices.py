"""Which numbers a device computes fastest in."""

import pytest
import torch

from munet.training.devices import choose_precision, fast_bf16, preferred_precision
from munet.training.memory import keep_freed_memory


@pytest.mark.parametrize(("wide", "tiles"), [(False, False), (True, False), (False, True)])
def test_bf16_where_the_processor_has_instructions_for_it(monkeypatch, wide, tiles):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: wide)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert fast_bf16("cpu") == (wide or tiles)
    assert preferred_precision("cpu") == ("bf16" if wide or tiles else "fp32")
    assert choose_precision("auto", "cpu") == "fp32"


def test_asking_to_keep_memory_does_not_fail():
    assert keep_freed_memory() in (True, False)
