"""The manifest of a model: which layers it is made of, and how it came to be."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

from munet.store.records import FORMAT

Mutation = dict[str, Any]
"""One difference between a model and its parent, by its `kind`: see `munet.search.mutations.Mutation.to_json`."""


class Metrics(TypedDict):
    """What was measured of a model; None where it was not."""

    validation_accuracy: float | None  # from 0 to 1, in the selected cycle
    validation_examples: int | None
    cycle: int | None  # the selected one, from 0
    accuracies: list[float]  # one a cycle
    score: float | None
    accounted_parameters: float | None
    flops: float  # of one forward pass of one image


class NativePosembed(TypedDict):
    """The root's position embeddings before they were resized."""

    image_size: int  # pixels a side
    layer: str  # its id


class RootOrigin(TypedDict):
    """What only a root's manifest tells: where its weights come from."""

    source: str
    native_posembed: NotRequired[NativePosembed]  # of vision transformers
    allocation: NotRequired[dict[str, Any]]  # of an exported allocation: its request, round and tasks


class Manifest(TypedDict):
    """A model. It holds no clock, path or host, and what is in it decides the model's id."""

    format: int
    task: str | None  # None: the root
    parent: str | None  # model id
    architecture: dict[str, Any]  # as `munet.model.kinds.architecture_from_json` reads it
    layers: dict[str, str]  # slot -> layer id
    sizes: dict[str, int]  # slot -> parameters
    momentum: dict[str, str]  # slot -> layer id of the optimiser's buffers
    hyperparameters: dict[str, Any]
    mutation_probabilities: dict[str, float]
    mutations: list[Mutation]
    method: str | None
    generation: int  # depth in the lineage
    stream: list[str | int]  # key of its random streams
    precision: str
    metrics: Metrics  # empty in a root, which nobody measures
    root: NotRequired[RootOrigin]  # only in a root
    imported: NotRequired[dict[str, Any]]  # only in models that other code made


def manifest(
    *,
    architecture: Mapping[str, Any],
    sizes: Mapping[str, int],
    hyperparameters: Mapping[str, Any],
    layers: Mapping[str, str] | None = None,
    task: str | None = None,
    parent: str | None = None,
    mutation_probabilities: Mapping[str, float] | None = None,
    mutations: Sequence[Mutation] = (),
    method: str | None = None,
    generation: int = 0,
    stream: Sequence[str | int] = (),
    precision: str = "fp32",
    metrics: Metrics | None = None,
    root: RootOrigin | None = None,
    imported: Mapping[str, Any] | None = None,
) -> Manifest:
    """Begin a manifest; left out is what a root does not have. Layers and momentum may still get their ids later."""
    made: Manifest = {
        "format": FORMAT,
        "task": task,
        "parent": parent,
        "architecture": dict(architecture),
        "layers": dict(layers or {}),
        "sizes": dict(sizes),
        "momentum": {},
        "hyperparameters": dict(hyperparameters),
        "mutation_probabilities": dict(mutation_probabilities or {}),
        "mutations": list(mutations),
        "method": method,
        "generation": generation,
        "stream": list(stream),
        "precision": precision,
        # The one empty value that its type does not tell of: whoever asks for measures has a trained model.
        "metrics": cast("Metrics", {}) if metrics is None else metrics,
    }
    if root is not None:
        made["root"] = root
    if imported is not None:
        made["imported"] = dict(imported)
    return made
