"""A method: search space, mutations, parents, score and budget, as data.

Every switch between the papers, or between a paper and its published code, is a named setting. The presets in
`presets/` fill them in and name the source of each value; `docs/methods.md` explains them.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from munet.search.space import DOMAINS, REQUIRED_KEYS, Value, check_value, check_values, rank


def _none_is_none(value: Any) -> Any:
    return None if value == "none" else value  # TOML has no null


_OrNone = BeforeValidator(_none_is_none)
_Count = Annotated[int, Field(ge=1, strict=True)]
_Reference = Literal["root"] | Annotated[float, Field(gt=0, strict=True)]
_Probability = Annotated[float, Field(ge=0, le=1, strict=True)]
_Percent = Annotated[float, Field(ge=0, le=100)]


class Method(BaseModel):
    """One way to evolve a system. Immutable; InputError (through `load_method`) for a setting that cannot be."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(description="name of the method")
    source: str = Field(description="papers and code that its values come from")

    # budget
    task_iterations: _Count = Field(description="times that each task is active")
    generations: _Count = Field(description="generations of one task iteration")
    children: _Count = Field(description="children sampled together in one generation")
    cycles: _Count = Field(description="cycles of training and validation of one child")
    samples_per_cycle: _Count = Field(description="training samples of a cycle")
    at_most_epoch: bool = Field(default=True, strict=True, description="a cycle is one epoch where that is less")
    batch_size: _Count = Field(description="training samples of one step")
    validation_cap: _Count = Field(description="validation images at most, the first of the split")

    # score
    scale: float = Field(gt=0, le=1, strict=True, description="s: below 1, size (and compute) cost quality")
    parameters_reference: _Reference = Field(description="P: a number, or the root's parameters with two classes")
    flops_reference: Annotated[_Reference | None, _OrNone] = Field(description="F: likewise; none: no compute factor")

    # hyperparameters
    space: dict[str, tuple[Value, ...]] = Field(description="ordered values of each tuned hyperparameter")
    defaults: dict[str, Value] = Field(description="values of what a parent lacks")
    tune: bool = Field(strict=True, description="false: only the architecture and the clones mutate")

    # mutation probability
    mutation_probability: _Probability = Field(description="mu; initial value and meta rate where mu is learned")
    mutation_probabilities: Literal["fixed", "hyperparameter", "learned"] = Field(
        description="one constant, one number per model that mutates, or a learned table per model"
    )
    mutation_probability_values: tuple[_Probability, ...] = Field(description="ordered values that mu may take")

    # architecture and clones
    adapters: Literal["never", "sampled", "always"] = Field(description="residual adapters before blocks")
    layer_removal: Literal["never", "paper", "neighbour"] = Field(
        description="paper: the top block goes with probability mu; neighbour: one block less or more"
    )
    clone: Literal["sampled", "all", "none", "probe"] = Field(
        description="which locked layers a child copies to train; probe: top blocks, more for a larger error"
    )
    clone_errors: tuple[_Percent, _Percent] = Field(
        default=(10.0, 20.0),
        description="probe errors in percent up to which the upper third, and the upper two thirds, are cloned",
    )
    clone_unlocked: Literal["always", "sampled"] = Field(description="layers that only the active task owns")
    freeze_below: Annotated[Annotated[int, Field(ge=0, strict=True)] | None, _OrNone] = Field(
        default=None, description="embedding, cls, posembed and the blocks below this one are never trained"
    )
    resized_posembed: Literal["shared", "cloned"] = Field(description="position embedding of a new image size")

    # parents and survival
    parents: Literal["half-life", "half-life-all", "root", "probe"] = Field(
        description="parent policy; probe: whose features a closed-form head reads best"
    )
    seed_pass: bool = Field(strict=True, description="each other model first gives one child without mutations")
    acceptance: Literal[">", ">="] = Field(description="a child's score against its parent's")
    keep_cycle: Literal["earlier", "later", "last"] = Field(
        description="among cycles of equal score; last: the end of the schedule, whatever validation says"
    )
    keep_best: Literal["first", "newest"] = Field(description="among models of equal score")

    # what a probe decides (ours)
    probed_tasks: int = Field(
        default=8, ge=0, strict=True, description="other tasks' models that parents = probe compares with the root"
    )
    head: Literal["zeros", "closed-form"] = Field(default="zeros", description="what a new head starts from")
    head_temperature: float = Field(
        default=0.5, gt=0, le=1, strict=True, description="of a closed-form head that is trained on, times the best one"
    )
    head_views: _Count = Field(
        default=1,
        description="how often a closed-form head that is not trained on reads each photograph: once as it is, then "
        "cropped at random, and mirrored where `mirror` lets it",
    )
    mirror: Literal["always", "probe"] = Field(
        default="always",
        description="probe: recipe = probe mirrors photographs where a closed-form head answers no worse for it",
    )
    head_features: Literal["pooled", "probe"] = Field(
        default="pooled", description="probe: class token, or class token and mean patch token, by held-out likelihood"
    )
    training: Literal["always", "never", "probe"] = Field(
        default="always", description="probe: the closed-form head alone where training is not expected to beat it"
    )
    recipe: Literal["given", "probe"] = Field(
        default="given", description="probe: optimiser, rates, augmentation and margin by root, images and epochs"
    )
    head_first: bool = Field(
        default=False,
        strict=True,
        description="a task's first model is the root with a head in closed form",
    )
    head_last: bool = Field(
        default=False,
        strict=True,
        description="on a large root, a head is made anew in closed form after training, and kept where it answers no "
        "worse",
    )
    together: bool = Field(
        default=False,
        strict=True,
        description="new tasks get one trunk that is trained on all of them",
    )
    trunk_batch_size: _Count = Field(
        default=64, description="training samples of one step of a trunk; on a large root it is batch_size"
    )
    shares: Literal["equal", "by-need"] = Field(
        default="equal", description="how tasks divide the samples of a run; by-need: by the error of their probes"
    )
    order: Literal["given", "most-classes"] = Field(default="given", description="which task comes first")
    step: Literal["plain", "fused"] = Field(
        default="plain", description="fused: a block as one operation in the fastest numbers of the device"
    )

    # training
    inherit_momentum: bool = Field(strict=True, description="a cloned layer starts with its source's momentum")
    warmup_start: float = Field(
        gt=0, le=1, strict=True, description="first learning rate of the warm-up, times the peak"
    )
    clip_norm: float = Field(gt=0, strict=True, description="global norm that the gradients are clipped to")
    data_order: Literal["generation", "child"] = Field(
        description="generation: siblings are trained on the same batches; child: each on an order of its own"
    )
    preprocessing: Literal["munet", "mu2net-plus"] = Field(description="order and range of the image operations")
    preprocessing_scope: Literal["child", "generation"] = Field(
        description="child: mutated from the parent; generation: drawn once, from the task's best model"
    )

    @field_validator("space")
    @classmethod
    def _check_space(cls, space: dict[str, tuple[Value, ...]]) -> dict[str, tuple[Value, ...]]:
        return {key: check_values(key, values, f"space.{key}") for key, values in space.items()}

    @field_validator("defaults")
    @classmethod
    def _check_defaults(cls, defaults: dict[str, Value]) -> dict[str, Value]:
        if "image_size" in defaults:
            raise ValueError("defaults.image_size: the image size starts at the root's; load the root at another one")
        return {key: check_value(key, value, f"defaults.{key}") for key, value in defaults.items()}

    @field_validator("mutation_probability_values")
    @classmethod
    def _check_values(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(values)):
            raise ValueError(f"mutation_probability_values is {list(values)}; list them ascending, each once")
        return values

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        for key, values in self.space.items():
            if key != "image_size" and key not in self.defaults:
                raise ValueError(f"space.{key} needs a start value: set defaults.{key}")
            if key != "image_size" and self.defaults[key] not in values:
                raise ValueError(
                    f"defaults.{key} is {self.defaults[key]!r}, which is not one of space.{key} = {list(values)}; "
                    "set both"
                )
        needed = set(REQUIRED_KEYS) if self.adapters == "never" else {*REQUIRED_KEYS, "adapter_dim"}
        if missing := [key for key in DOMAINS if key in needed - self.defaults.keys()]:
            raise ValueError(f"defaults.{missing[0]} is missing; it must be {DOMAINS[missing[0]].allowed}")
        values = self.mutation_probability_values
        if self.mutation_probabilities != "fixed" and self.mutation_probability not in values:
            raise ValueError(
                f"mutation_probability is {self.mutation_probability}; with mutation_probabilities = "
                f"'{self.mutation_probabilities}' it must be one of mutation_probability_values = {list(values)}"
            )
        return self

    @property
    def is_one_child(self) -> bool:
        """Whether a task's samples all go into one child."""
        return self.task_iterations * self.generations * self.children == 1

    @property
    def child_cycles(self) -> int:
        """Cycles of training that each task gets: the budget that methods are compared at."""
        return self.task_iterations * self.generations * self.children * self.cycles

    def for_root(self, patch_size: int, image_size: int) -> "Method":
        """This method without the image sizes that the patch does not divide; untuned if the root's own is not left."""
        sizes = tuple(size for size in self.space.get("image_size", ()) if rank(size) % patch_size == 0)
        space = {key: values for key, values in self.space.items() if key != "image_size"}
        if image_size in sizes:
            space["image_size"] = sizes
        return self.model_copy(update={"space": space})
