"""The numbers of the papers, and that each preset says where its values come from."""

import re
from importlib.resources import files

import pytest

from munet.search import Method, load_method, preset_names

RATES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
DELTAS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
COLOURS = {"brightness": DELTAS, "contrast": DELTAS, "saturation": DELTAS, "hue": DELTAS}
FLAG = (False, True)
SCHEDULES = ("constant", "cosine", "restarts")
ADAPTERS = (8, 16, 32, 64, 128)
SIZES = tuple(range(16, 385, 16))

MUNET = {
    "learning_rate": RATES,
    "schedule": SCHEDULES,
    "warmup_ratio": (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4),
    "momentum": (0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99),
    "nesterov": FLAG,
    "crop_area_min": (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    "crop_aspect_min": (0.25, 0.5, 0.75, 1.0),
    "flip": FLAG,
    **COLOURS,
    "adapter_dim": ADAPTERS,
    "image_size": SIZES,
}
MU2NET = {
    **{key: values for key, values in MUNET.items() if key not in ("schedule", "adapter_dim", "image_size")},
    "momentum": (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99),
    "crop": FLAG,
}
MU2NET_SMALL = {**MUNET, "momentum": (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)}
MU2NET_PLUS = {
    "learning_rate": RATES,
    "warmup_ratio": (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3),
    "momentum": (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99),
    "nesterov": FLAG,
    "crop_area_min": (0.05, 0.5, 0.95, 1.0),
    "crop_aspect_min": (0.5, 0.75, 1.0),
    "flip": FLAG,
    **COLOURS,
    "jpeg_quality": DELTAS,
    "image_size": (16, 32, 48, 64, 80, 96, 112),
    "adapter_dim": ADAPTERS,
}
ADAPTIVE = {key: values for key, values in MU2NET_PLUS.items() if key not in ("image_size", "momentum", "nesterov")}
SPACES = {
    "munet": MUNET,
    "munet-characters": MUNET,
    "munet-decathlon": MUNET,
    "munet-large": MUNET,
    "mu2net": MU2NET,
    "mu2net-large": MU2NET,
    "mu2net-characters": MU2NET_SMALL,
    "mu2net-decathlon": MU2NET_SMALL,
    "mu2net-plus": MU2NET_PLUS,
    "mu2net-plus-characters": MU2NET_PLUS,
    "mu2net-plus-decathlon": MU2NET_PLUS,
    "mu2net-plus-large": {**MU2NET_PLUS, "image_size": (224, 384)},
    "mu2net-plus-no-compute": MU2NET_PLUS,
    "munet-no-autotune": MUNET,
    "adaptive": ADAPTIVE,
    "head-only": ADAPTIVE,
    "finetune-adaptive": ADAPTIVE,
    **{
        name: {}
        for name in (
            "finetune-tuned",
            "finetune-tuned-photos",
            "finetune-full",
            "finetune-above",
            "multi-head",
            "adapters",
        )
    },
}

OPTIMISER = {"learning_rate": 0.01, "schedule": "cosine", "warmup_ratio": 0.1, "momentum": 0.9, "nesterov": False}
NO_COLOURS = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}
FINETUNE_DEFAULTS = {**OPTIMISER, "crop_area_min": 0.05, "crop_aspect_min": 0.75, "flip": True, **NO_COLOURS}
MUNET_DEFAULTS = {**FINETUNE_DEFAULTS, "adapter_dim": 32}
MU2NET_DEFAULTS = {**FINETUNE_DEFAULTS, "crop": True, "warmup_ratio": 0.05}
SMALL_DEFAULTS = {**MUNET_DEFAULTS, "crop": True}
PLUS_DEFAULTS = {
    **OPTIMISER,
    "crop_area_min": 1.0,
    "crop_aspect_min": 1.0,
    "flip": False,
    **NO_COLOURS,
    "jpeg_quality": 0.0,
    "adapter_dim": 32,
}
ADAPTIVE_DEFAULTS = {**PLUS_DEFAULTS, "learning_rate": 0.05}
TUNED_DEFAULTS = {
    **FINETUNE_DEFAULTS,
    "learning_rate": 0.03,
    "augmentation": "mild",
    "crop_area_min": 1.0,
    "crop_aspect_min": 1.0,
    "flip": False,
}
DEFAULTS = {
    "munet": MUNET_DEFAULTS,
    "munet-characters": MUNET_DEFAULTS,
    "munet-decathlon": MUNET_DEFAULTS,
    "munet-large": {**MUNET_DEFAULTS, "warmup_ratio": 0.05},
    "mu2net": MU2NET_DEFAULTS,
    "mu2net-large": MU2NET_DEFAULTS,
    "mu2net-characters": SMALL_DEFAULTS,
    "mu2net-decathlon": SMALL_DEFAULTS,
    "mu2net-plus": PLUS_DEFAULTS,
    "mu2net-plus-characters": PLUS_DEFAULTS,
    "mu2net-plus-decathlon": PLUS_DEFAULTS,
    "mu2net-plus-large": {**PLUS_DEFAULTS, "warmup_ratio": 0.05},
    "mu2net-plus-no-compute": PLUS_DEFAULTS,
    "munet-no-autotune": MUNET_DEFAULTS,
    "adaptive": ADAPTIVE_DEFAULTS,
    "head-only": ADAPTIVE_DEFAULTS,
    "finetune-adaptive": ADAPTIVE_DEFAULTS,
    "finetune-tuned": TUNED_DEFAULTS,
    "finetune-tuned-photos": {
        **{key: value for key, value in TUNED_DEFAULTS.items() if key != "augmentation"},
        **{"learning_rate": 1e-4, "flip": True},
        **{"crop_area_min": 0.6, "crop_aspect_min": 0.75, "optimiser": "adamw", "weight_decay": 0.05},
        **{"layer_decay": 0.75, "head_rate": 10.0, "head_features": "class-token+patches"},
    },
    **dict.fromkeys(("finetune-full", "finetune-above", "multi-head"), FINETUNE_DEFAULTS),
    "adapters": MUNET_DEFAULTS,
}

# task iterations, generations, children, cycles, samples a cycle, batch, validation cap
BUDGETS = {
    "munet": (2, 8, 8, 5, 51200, 512, 5120),
    "munet-decathlon": (2, 8, 8, 30, 51200, 256, 5120),
    "munet-large": (32, 2, 8, 2, 128000, 32, 9984),
    "mu2net": (1, 4, 32, 4, 128116, 64, 10000),
    "mu2net-large": (1, 4, 32, 4, 128116, 64, 10000),
    "mu2net-characters": (2, 8, 8, 5, 51200, 512, 5120),
    "mu2net-decathlon": (2, 8, 8, 30, 51200, 256, 5120),
    "mu2net-plus": (5, 4, 8, 4, 51200, 512, 5120),
    "mu2net-plus-decathlon": (30, 4, 8, 4, 51200, 256, 5120),
    "mu2net-plus-large": (2, 4, 32, 4, 128116, 64, 10000),
    **dict.fromkeys(("finetune-full", "finetune-above", "multi-head", "adapters"), (1, 1, 8, 80, 51200, 512, 5120)),
    **dict.fromkeys(
        ("adaptive", "head-only", "finetune-adaptive", "finetune-tuned", "finetune-tuned-photos"),
        (1, 1, 1, 8, 6400, 32, 5120),
    ),
}
SAME_BUDGET = {
    "munet-characters": "munet",
    "munet-no-autotune": "munet",
    "mu2net-plus-characters": "mu2net-plus",
    "mu2net-plus-no-compute": "mu2net-plus",
}
SCORES = {
    "munet": (1.0, "root", None),
    "munet-characters": (1.0, 1_484_162, None),
    "munet-decathlon": (1.0, 85_652_738, None),
    "munet-large": (1.0, 303_303_682, None),
    "mu2net": (1.0, "root", None),
    "mu2net-large": (1.0, 303_303_682, None),
    "mu2net-characters": (1.0, 1_484_162, None),
    "mu2net-decathlon": (1.0, 85_652_738, None),
    "mu2net-plus": (1.0, "root", "root"),
    "mu2net-plus-characters": (1.0, 1_484_162, 15e6),
    "mu2net-plus-decathlon": (1.0, 85_652_738, 100e9),
    "mu2net-plus-large": (0.99, 2.2e9, 3.8e12),
    "mu2net-plus-no-compute": (1.0, "root", None),
    "munet-no-autotune": (1.0, "root", None),
    "adaptive": (0.99, "root", "root"),
    "head-only": (0.99, "root", "root"),
    "finetune-adaptive": (0.99, "root", "root"),
    "finetune-tuned": (1.0, "root", None),
    "finetune-tuned-photos": (1.0, "root", None),
    **dict.fromkeys(("finetune-full", "finetune-above", "multi-head", "adapters"), (1.0, "root", None)),
}


def budget(method: Method) -> tuple[int, ...]:
    times = (method.task_iterations, method.generations, method.children, method.cycles)
    return (*times, method.samples_per_cycle, method.batch_size, method.validation_cap)


def test_the_tables_here_cover_every_preset():
    assert set(SPACES) == set(DEFAULTS) == set(SCORES) == set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_preset_has_the_published_numbers(name):
    method = load_method(name)
    assert method.name == name
    assert method.space == SPACES[name]
    assert method.defaults == DEFAULTS[name]
    assert (method.scale, method.parameters_reference, method.flops_reference) == SCORES[name]
    assert budget(method) == BUDGETS[SAME_BUDGET.get(name, name)]  # pyright: ignore[reportArgumentType]
    assert method.clip_norm == 1.0


@pytest.mark.parametrize("name", preset_names())
def test_every_default_is_in_its_list(name):
    method = load_method(name)
    assert all(method.defaults[key] in values for key, values in method.space.items() if key != "image_size")


def test_methods_and_baselines_get_the_same_number_of_cycles():
    small = [load_method(name) for name in ("munet", "mu2net-characters", "mu2net-plus", "finetune-full", "multi-head")]
    assert {method.task_iterations * method.generations * method.cycles for method in small} == {80}
    assert {method.child_cycles for method in small} == {640}
    others = [load_method(name) for name in ("munet-no-autotune", "finetune-above:1", "adapters:512")]
    assert {method.child_cycles for method in others} == {640}
    decathlon = [load_method(name) for name in ("munet-decathlon", "mu2net-plus-decathlon")]
    baseline = load_method("finetune-full", {"cycles": "480", "batch_size": "256"})
    assert {method.child_cycles for method in [*decathlon, baseline]} == {8 * 480}


# mutation probability, its kind, adapters, layer removal, clone, parents, acceptance, cycle and model among equals,
# momentum, start of the warm-up, preprocessing, resized position embedding
RULES = {
    "munet": (
        *(0.1, "fixed", "sampled", "paper", "sampled", "half-life", ">", "earlier", "first"),
        *(False, 0.01, "munet", "shared"),
    ),
    "munet-large": (
        *(0.1, "fixed", "sampled", "never", "sampled", "half-life", ">", "earlier", "first"),
        *(False, 0.01, "munet", "shared"),
    ),
    "mu2net": (
        *(0.2, "hyperparameter", "never", "never", "sampled", "half-life-all", ">=", "later", "newest"),
        *(True, 0.01, "munet", "cloned"),
    ),
    "mu2net-characters": (
        *(0.1, "fixed", "sampled", "never", "sampled", "half-life-all", ">=", "later", "newest"),
        *(True, 0.01, "munet", "cloned"),
    ),
    "mu2net-plus": (
        *(0.2, "learned", "never", "paper", "sampled", "half-life-all", ">=", "later", "newest"),
        *(True, 0.001, "mu2net-plus", "cloned"),
    ),
    "finetune-full": (
        *(0.1, "fixed", "never", "never", "all", "root", ">", "earlier", "first"),
        *(False, 0.01, "munet", "cloned"),
    ),
    "multi-head": (
        *(0.1, "fixed", "never", "never", "none", "root", ">", "earlier", "first"),
        *(False, 0.01, "munet", "shared"),
    ),
    "finetune-above": (
        *(0.1, "fixed", "never", "never", "all", "root", ">", "earlier", "first"),
        *(False, 0.01, "munet", "shared"),
    ),
    "adaptive": (
        *(0.2, "learned", "never", "paper", "probe", "probe", ">=", "last", "newest"),
        *(False, 0.001, "mu2net-plus", "shared"),
    ),
    "head-only": (
        *(0.2, "learned", "never", "paper", "probe", "root", ">=", "last", "newest"),
        *(False, 0.001, "mu2net-plus", "shared"),
    ),
    "finetune-tuned": (
        *(0.1, "fixed", "never", "never", "all", "root", ">", "last", "first"),
        *(False, 0.001, "munet", "cloned"),
    ),
    "finetune-adaptive": (
        *(0.2, "learned", "never", "paper", "all", "root", ">=", "last", "newest"),
        *(False, 0.001, "mu2net-plus", "shared"),
    ),
    "adapters": (
        *(0.1, "fixed", "always", "never", "none", "root", ">", "earlier", "first"),
        *(False, 0.01, "munet", "shared"),
    ),
}
INHERITED = {
    "finetune-tuned-photos": "finetune-tuned",
    "mu2net-plus-no-compute": "mu2net-plus",
    "munet-no-autotune": "munet",
    "munet-characters": "munet",
    "munet-decathlon": "munet",
    "mu2net-large": "mu2net",
    "mu2net-decathlon": "mu2net-characters",
    "mu2net-plus-characters": "mu2net-plus",
    "mu2net-plus-decathlon": "mu2net-plus",
    "mu2net-plus-large": "mu2net-plus",
}


@pytest.mark.parametrize("name", preset_names())
def test_rules(name):
    method = load_method(name)
    rules = (
        *(method.mutation_probability, method.mutation_probabilities, method.adapters, method.layer_removal),
        *(method.clone, method.parents, method.acceptance, method.keep_cycle, method.keep_best),
        *(method.inherit_momentum, method.warmup_start, method.preprocessing, method.resized_posembed),
    )
    assert rules == RULES[INHERITED.get(name, name)]  # pyright: ignore[reportArgumentType]


BASELINES = {"finetune-full", "finetune-above", "finetune-tuned", "finetune-tuned-photos", "multi-head", "adapters"}
UNTUNED = {"munet-no-autotune", *BASELINES}
OF_THIS_PROJECT = {"adaptive", "head-only", "finetune-adaptive", "finetune-tuned", "finetune-tuned-photos"}


@pytest.mark.parametrize("name", preset_names())
def test_common_choices(name):
    method = load_method(name)
    assert (method.clone_unlocked, method.seed_pass, method.preprocessing_scope) == ("always", False, "child")
    assert method.tune == (name not in UNTUNED)
    assert method.freeze_below == (0 if name == "finetune-above" else None)
    assert method.at_most_epoch == (name not in OF_THIS_PROJECT)


# head, its temperature and features, training, recipe, head first, trunk, its batch, shares, order, step, clone errors
PUBLISHED = ("zeros", 0.5, "pooled", "always", "given", False, False, 64, "equal", "given", "plain", (10.0, 20.0))
PROBED = ("closed-form", 0.5, "probe")
EVIDENCE = {
    "adaptive": (*PROBED, "probe", "probe", True, True, 64, "by-need", "most-classes", "fused", (10.0, 20.0)),
    "finetune-adaptive": (*PROBED, "always", "probe", False, False, 64, "equal", "most-classes", "fused", (10.0, 20.0)),
    "head-only": (*PROBED, "never", "probe", False, False, 64, "equal", "given", "fused", (10.0, 20.0)),
}


@pytest.mark.parametrize("name", preset_names())
def test_only_the_methods_of_this_project_look_at_evidence(name):
    method = load_method(name)
    chosen = (
        *(method.head, method.head_temperature, method.head_features, method.training, method.recipe),
        *(method.head_first, method.together, method.trunk_batch_size, method.shares, method.order, method.step),
        method.clone_errors,
    )
    assert chosen == EVIDENCE.get(name, PUBLISHED)


def test_the_methods_of_this_project_are_one_child_of_at_most_51200_samples():
    for name in OF_THIS_PROJECT:
        method = load_method(name)
        assert method.is_one_child
        assert method.cycles * method.samples_per_cycle == 51_200


def test_values_of_mu():
    hundredths = load_method("mu2net-plus").mutation_probability_values
    assert hundredths == (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3)
    assert load_method("mu2net").mutation_probability_values == hundredths[4:]


@pytest.mark.parametrize("name", preset_names())
def test_every_line_names_its_source(name):
    text = files("munet.search").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    table = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        table = "#" in line if line.startswith("[") else table
        explained = "#" in line or table or before.startswith("#")
        named = re.match(r"(name|when|source|extends) =", line)
        assert explained or named or "=" not in line, f"{name}.toml:{number}: {line}"
        before = line


def test_baselines_of_the_papers_are_settings():
    for dim in (8, 16, 32, 64, 128, 256, 512):
        method = load_method("multi-head", {"adapters": "always", "defaults.adapter_dim": str(dim)})
        assert (method.adapters, method.clone, method.defaults["adapter_dim"]) == ("always", "none", dim)
    for block in range(4):
        method = load_method("finetune-full", {"freeze_below": str(block), "resized_posembed": "shared"})
        assert (method.clone, method.freeze_below) == ("all", block)


def test_for_root_drops_sizes_that_the_patch_does_not_divide():
    munet = load_method("munet")
    assert munet.for_root(16, 32).space["image_size"] == SIZES
    assert munet.for_root(14, 224).space["image_size"] == (112, 224, 336)
    assert munet.for_root(32, 64).space["image_size"] == tuple(range(32, 385, 32))
    assert "image_size" in munet.space


def test_for_root_does_not_tune_a_size_that_is_not_listed():
    space = load_method("mu2net-plus").for_root(16, 224).space
    assert "image_size" not in space
    assert set(space) == set(MU2NET_PLUS) - {"image_size"}
    assert load_method("finetune-full").for_root(16, 32) == load_method("finetune-full")
