"""Overrides, a user's own TOML, and what is said when something is wrong."""

import json

import pytest
from pydantic import ValidationError

from munet.errors import InputError
from munet.search import Method, load_method, preset_names


def test_overrides_as_text():
    method = load_method(
        "mu2net-plus",
        {
            "scale": "0.95",
            "adapters": "sampled",
            "space.momentum": "[0.5, 0.9]",
            "space.schedule": "constant, 'cosine'",
            "defaults.learning_rate": "5e-4",
            "defaults.nesterov": "True",
            "flops_reference": "none",
            "children": 4,
            "seed_pass": "true",
            "freeze_below": "1",
        },
    )
    assert (method.scale, method.adapters, method.children, method.seed_pass) == (0.95, "sampled", 4, True)
    assert method.space["momentum"] == (0.5, 0.9)
    assert method.space["schedule"] == ("constant", "cosine")
    assert method.defaults["learning_rate"] == 0.0005
    assert method.defaults["nesterov"] is True
    assert method.flops_reference is None
    assert method.freeze_below == 1


@pytest.mark.parametrize("text", ["none", "None", "null", "NULL", " none "])
def test_a_setting_can_be_taken_away_in_several_words(text):
    assert load_method("mu2net-plus", {"flops_reference": text}).flops_reference is None
    assert "flip" not in load_method("mu2net-plus", {"space.flip": text}).space


@pytest.mark.parametrize("text", ["cosine", "'cosine'", '"cosine"'])
def test_a_word_may_stand_in_quotes(text):
    assert load_method("munet", {"defaults.schedule": text}).defaults["schedule"] == "cosine"


@pytest.mark.parametrize("text", ["'cosine", "cosine'", "'cosine\"", "XcosineX", "ccosinec"])
def test_what_is_no_pair_of_quotes_belongs_to_the_word(text):
    with pytest.raises(InputError) as caught:
        load_method("munet", {"defaults.schedule": text})
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", [str(value) for value in load_method("mu2net-plus").mutation_probability_values])
def test_numbers_from_text_are_exactly_the_listed_ones(text):
    assert load_method("mu2net-plus", {"mutation_probability": text}).mutation_probability == float(text)


def test_lists_from_text_are_exactly_the_listed_ones():
    plus = load_method("mu2net-plus")
    values = {f"space.{key}": json.dumps(values) for key, values in plus.space.items()}
    probabilities = ", ".join(f"{k * 2}e-2" for k in range(1, 16))
    assert load_method("mu2net-plus", {**values, "mutation_probability_values": probabilities}) == plus


def test_a_list_can_be_taken_out():
    method = load_method("munet", {"space.flip": "none", "defaults.flip": "false"})
    assert "flip" not in method.space
    assert method.defaults["flip"] is False


def test_overrides_leave_the_preset_alone():
    load_method("munet", {"space.momentum": "0.9"})
    assert len(load_method("munet").space["momentum"]) == 7


@pytest.mark.parametrize("name", preset_names())
def test_a_method_survives_json(name):
    method = load_method(name)
    assert Method.model_validate(json.loads(json.dumps(method.model_dump(mode="json")))) == method
    assert Method.model_validate_json(method.model_dump_json()) == method


def test_a_method_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        load_method("munet").scale = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("scle", "1", "unknown setting 'scle' (did you mean 'scale'?)"),
        ("space.momentm", "0.9", "(did you mean 'space.momentum'?)"),
        ("defaults.lerning_rate", "0.1", "(did you mean 'defaults.learning_rate'?)"),
        ("learning_rate", "0.1", "(did you mean 'defaults.learning_rate', what children start with, or"),
        ("lr", "0.1", "(did you mean 'defaults.learning_rate', what children start with, or"),
        ("defaults.lr", "0.1", "(did you mean 'defaults.learning_rate'?)"),
        ("defaults.optimizer", "adamw", "(did you mean 'defaults.optimiser'?)"),
        ("batch", "8", "(did you mean 'batch_size'?)"),
        ("img_size", "64", "--image-size fixes it"),
        ("epochs", "3", "a budget counts images"),
        ("pizza", "3", "unknown setting 'pizza'; `munet methods"),
        ("space", "0.9", "'space' is a table"),
        ("scale", "2", "setting 'scale' is 2; it must be less than or equal to 1"),
        ("scale", "0", "setting 'scale' is 0; it must be greater than 0"),
        ("scale", "nan", "setting 'scale' is nan; it must be a finite number"),
        ("scale", "much", "setting 'scale' is 'much'; it must be a number"),
        ("children", "0", "setting 'children' is 0; it must be greater than or equal to 1"),
        ("children", "2.5", "setting 'children' is 2.5; it must be a whole number"),
        ("tune", "maybe", "setting 'tune' is 'maybe'; it must be true or false"),
        ("adapters", "maybe", "setting 'adapters' is 'maybe'; it must be 'never', 'sampled' or 'always'"),
        ("parameters_reference", "rot", "setting 'parameters_reference' is 'rot'; it must be 'root' or a number"),
        ("flops_reference", "-3", "setting 'flops_reference' is -3; it must be 'root' or greater than 0 or 'none'"),
        ("space.momentum", "[0.5, 0.8]", "defaults.momentum is 0.9, which is not one of space.momentum = [0.5, 0.8]"),
        ("space.momentum", "None, 0.9", "space.momentum is 'none'; it must be a number from 0, below 1"),
        ("space.momentum", "", "space.momentum is empty"),
        ("defaults.learning_rate", "0.03", "defaults.learning_rate is 0.03, which is not one of space.learning_rate"),
        ("defaults.momentum", "none", "space.momentum needs a start value: set defaults.momentum"),
        ("defaults.image_size", "64", "the image size starts at the root's"),
        ("mutation_probability", "0.11", "mutation_probability is 0.11"),
        ("mutation_probability_values", "0.2, 0.1", "list them ascending"),
    ],
)
def test_a_wrong_override_is_one_line(setting, value, said):
    with pytest.raises(InputError) as caught:
        load_method("mu2net-plus", {setting: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_adapters_need_a_size():
    with pytest.raises(InputError, match=r"defaults\.adapter_dim is missing; it must be a whole number above 0"):
        load_method("finetune-full", {"adapters": "always"})


def test_unknown_method():
    with pytest.raises(
        InputError, match=r"unknown method 'mu2net-pls' \(did you mean 'mu2net-plus'\?\); `munet methods` says"
    ):
        load_method("mu2net-pls")


def test_own_toml(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('extends = "mu2net-plus"\nscale = 0.9\n[space]\nflip = "none"\n[defaults]\nmomentum = 0.5\n')
    method, plus = load_method(file), load_method("mu2net-plus")
    assert (method.name, method.scale, method.source) == ("mine", 0.9, plus.source)
    assert method.defaults == {**plus.defaults, "momentum": 0.5}
    assert method.space == {key: values for key, values in plus.space.items() if key != "flip"}
    assert load_method(str(file), {"children": 2}).children == 2


def test_own_toml_extends_a_file_beside_it(tmp_path):
    (tmp_path / "base.toml").write_text('extends = "munet"\nchildren = 3\n')
    (tmp_path / "mine.toml").write_text('extends = "base.toml"\nname = "other"\n')
    method = load_method(tmp_path / "mine.toml")
    assert (method.name, method.children) == ("other", 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scale = ", "is not valid TOML"),
        ("scale = 1.0", "is missing"),
        ("extends = 3", "extends is 3"),
        ('extends = "mine.toml"', "goes round in a circle"),
        ('extends = "munett"', "did you mean 'munet'?"),
        ('extends = "munet"\nscael = 1.0', "unknown setting 'scael' (did you mean 'scale'?)"),
        ('extends = "munet"\n[space]\nmomentm = [0.9]', "did you mean 'momentum'?"),
        ('extends = "munet"\n[space]\nmomentum = 0.9', "setting 'space.momentum' is 0.9; it must be a list"),
        ('extends = "munet"\nspace = 3', "setting 'space' is 3"),
        ('space = 3\n[defaults]\nmomentum = "high"', "setting"),
    ],
)
def test_wrong_toml_is_one_line_that_names_the_file(tmp_path, text, said):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_method(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "munett" in str(caught.value) or "mine.toml" in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read method .*none\.toml: No such file"):
        load_method(tmp_path / "none.toml")


# Presets that take a value ----------------------------------------------------------------------------------------


def test_a_value_behind_a_colon():
    assert load_method("adapters:512").defaults["adapter_dim"] == 512
    assert load_method("adapters:512").name == "adapters:512"
    assert load_method("finetune-above:2").freeze_below == 2
    assert load_method("adapters:512", {"defaults.adapter_dim": 8}).defaults["adapter_dim"] == 8


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("munet:3", "munet takes no value"),
        ("adapters:wide", "defaults.adapter_dim is 'wide'; it must be a whole number above 0"),
        ("finetune-above:-1", "'freeze_below' is -1"),
        ("adaptors:8", "unknown method 'adaptors' (did you mean 'adapters'?)"),
    ],
)
def test_a_value_that_cannot_be(name: str, said: str):
    with pytest.raises(InputError) as caught:
        load_method(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
