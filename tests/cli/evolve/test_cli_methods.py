"""`munet methods`: every setting with the source that its TOML names."""

import json
from pathlib import Path

import pytest

from cli_tools import drawn, fits
from munet.cli.evolve.methods import comments, list_methods, methods_view, show_method
from munet.errors import InputError
from munet.search import Method, preset_names

TOML = """\
# A method.
#   paper  Somebody 2022
name = "x"

children = 4                     # paper sec. 1
text = "a # b"                   # 'quoted'
plain = 3

[space] # paper Table 1
flip = [false, true]
# code: from 16
image_size = [
  16, 32,
]

[defaults]
flip = false # ours
"""


def test_comments_stand_behind_before_or_above():
    sources, legend = comments(TOML)
    assert sources == {
        "children": "paper sec. 1",
        "text": "'quoted'",
        "space": "paper Table 1",
        "space.image_size": "code: from 16",
        "defaults.flip": "ours",
    }
    assert legend == ["paper  Somebody 2022"]


@pytest.mark.parametrize("name", preset_names())
def test_every_setting_of_every_preset_is_shown(name: str):
    found = show_method(name)
    names = {setting["name"].split(".")[0] for setting in found["settings"]}
    assert names == set(Method.model_fields) - {"name", "source"}
    assert found["legend"]
    budget = {s["name"]: s["source"] for s in found["settings"]}
    assert budget["children"]
    text = drawn(methods_view(found, 80), 80)
    assert fits(text, 80)
    assert "learning_rate" in text


def test_a_file_of_ones_own_overlays_what_it_extends(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text('extends = "munet"\nchildren = 3 # my own reason\n', encoding="utf-8")
    found = show_method(str(file))
    settings = {setting["name"]: setting for setting in found["settings"]}
    assert (settings["children"]["value"], settings["children"]["source"]) == (3, "my own reason")
    base = {setting["name"]: setting for setting in show_method("munet")["settings"]}
    assert settings["cycles"] == base["cycles"]
    json.dumps(found)


def test_the_list_has_every_preset():
    listed = list_methods()
    text = drawn(methods_view(listed, 120), 120)
    assert all(name in text for name in preset_names())
    assert all(method["when"] for method in listed)
    assert listed[0]["name"] == "adaptive"
    assert {method["name"]: method["samples_per_task"] for method in listed}["head-only"] == 0
    assert fits(drawn(methods_view(listed, 80), 80), 80)


def test_an_unknown_method_is_one_line():
    with pytest.raises(InputError, match="did you mean 'munet'"):
        show_method("munett")
