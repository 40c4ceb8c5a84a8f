"""What was meant by the words of other libraries: always something that exists."""

import re

import pytest

from munet.errors import InputError
from munet.search import load_method, other_names
from munet.search.space import DOMAINS


def test_what_is_named_in_place_of_a_method_is_one():
    meant = {name for hint in other_names._METHODS.values() for name in re.findall("'([^']+)'", hint)}
    assert len(meant) >= 5
    for name in meant:
        load_method(name)


def test_what_is_named_in_place_of_a_setting_is_one():
    fields = type(load_method("munet")).model_fields
    assert {name for name in other_names._SETTINGS.values() if name not in DOMAINS and name not in fields} == set()


@pytest.mark.parametrize(("word", "meant"), [("finetune", "finetune-tuned"), ("lora", "adapters:64")])
def test_a_method_as_others_call_it(word: str, meant: str):
    with pytest.raises(InputError, match=rf"did you mean '.*{meant}"):
        load_method(word)


def test_nothing_is_guessed_from_afar():
    with pytest.raises(InputError, match="unknown method 'pizza'; `munet methods`"):
        load_method("pizza")
