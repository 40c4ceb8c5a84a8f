"""Why a task's model is as it is: the evidence that was there, what it decided, and what each step gained."""

from typing import TYPE_CHECKING, Any

from munet.analysis.model_history import Sampled, children
from munet.errors import InputError
from munet.model.slots import blocks_in
from munet.search.adaptive import Mirrored
from munet.store.derived import lineage, resolve
from munet.text import counted

if TYPE_CHECKING:
    from munet.store import Store

_RECIPE = (
    "optimiser",
    "learning_rate",
    "layer_decay",
    "weight_decay",
    "margin",
    "augmentation",
    "crop_area_min",
    "flip",
)


def explain(store: "Store", task: str) -> dict[str, Any]:
    """What is known of the way to a task's retained model, as JSON values, oldest step first.

    InputError where the task has no model, or one that no run of this system made.
    """
    model = resolve(store, task)
    tried = list(children(store, task))
    made = {child["model"]: child for child in tried if child["model"]}
    line = [(one, manifest) for one, manifest in reversed(lineage(store, model)) if manifest["task"] == task]
    first = next((child for child in tried if not child["samples"] and child.get("evidence")), None)
    steps = [_step(made[one], len(manifest["layers"])) for one, manifest in line if one in made]
    if model not in made:  # imported, or received from somebody who went on from a model of ours
        raise InputError(f"no run of {store.path} made the model of '{task}': there is nothing to explain")
    last = made[model]
    evidence = last.get("evidence") or (first.get("evidence") if first else None)
    return {
        "task": task,
        "model": model,
        "method": store.get_model(model)["method"],
        "head_only_accuracy": first["accuracy"] if first else None,
        "evidence": evidence,
        "together": last.get("together"),
        "blocks": blocks_in(store.get_model(model)["layers"]),
        "trained": last["cloned"],
        "recipe": {key: value for key in _RECIPE if (value := last["hyperparameters"].get(key)) is not None},
        "steps": steps,
        "validation_accuracy": last["accuracy"],
        "best_trained": max(
            (child["accuracy"] for child in tried if child["samples"] and child["accuracy"] is not None),
            default=None,
        ),
        "rejected": sum(not child["accepted"] for child in tried),
    }


def _step(child: Sampled, slots: int) -> dict[str, Any]:
    return {
        "run": child["run"],
        "model": child["model"],
        "accuracy": child["accuracy"],
        "new_head_accuracy": child.get("new_head"),
        "trained_head_accuracy": child["accuracies"][child["cycle"]] if child["cycle"] is not None else None,
        "samples": child["samples"],
        "trained_slots": None if child["cloned"] is None else len(child["cloned"]),
        "slots": slots,
        "trainable_parameters": child["trainable_parameters"],
    }


def sentences(found: dict[str, Any]) -> list[str]:
    """The same in plain words."""
    return [*_evidence(found), *_choice(found), *_gains(found)]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _evidence(found: dict[str, Any]) -> list[str]:
    known = found["evidence"]
    if not known:
        return ["Its parent, its layers and its settings were drawn, not computed: `munet log` has the way."]
    root, *others = known["probes"]
    lines = [
        f"{known['images']:,} training images of {known['classes']} classes, {known['kind']}.",
        f"A closed-form head on the root's features is wrong on {_percent(root['error'])} of the images that were held "
        f"out ({root['nll']:.3f} nats); it reads {_features(root['features'])}.",
    ]
    if mirror := known.get("mirror"):
        lines.append(_mirrors(Mirrored(**mirror)))
    if others:
        ranked = sorted(others, key=lambda probe: probe["nll"])
        told = ", ".join(f"{probe['task']} {_percent(probe['error'])} ({probe['nll']:.3f})" for probe in ranked[:4])
        lines.append(f"On other tasks' features: {told}.")
    return lines


def _mirrors(mirror: Mirrored) -> str:
    told = f"{mirror.mirrored:.3f} nats with mirrored crops, {mirror.cropped:.3f} with crops as they are"
    if mirror.helps:
        return f"Mirror images say as much of its classes, so they are used as well ({told})."
    return f"A mirror takes the meaning of its images, so none is mirrored ({told})."


def _features(word: str) -> str:
    return "class token and mean patch token" if word == "class-token+patches" else "the pooled features"


def _choice(found: dict[str, Any]) -> list[str]:
    if found["trained"] is None:
        return ["What was trained is not known: the model was imported."]
    trained = [slot for slot in found["trained"] if slot not in ("norm", "head")]
    blocks = blocks_in(trained)
    if found["trained"] == ["head"]:
        return [f"Nothing is trained: the head in closed form is what the task has. {_why_untrained(found)}"]
    recipe = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in found["recipe"].items())
    if found["together"]:
        others = counted(len(found["together"]) - 1, "other")
        lines = [
            f"It is a path through a trunk that was trained on this task and {others} together: its upper "
            f"{blocks} of {found['blocks']} blocks; the rest is the root's."
        ]
    else:
        lines = [f"A child of its own: {blocks} of {found['blocks']} blocks trained, the rest is shared."]
    return [*lines, f"Recipe: {recipe}."]


def _why_untrained(found: dict[str, Any]) -> str:
    if found["best_trained"] is not None:
        return f"Training reached {_percent(found['best_trained'])} of validation, which scored no higher."
    if found["method"] == "head-only":
        return "That is all that the method head-only does."
    return "Training was not expected to win: it is wrong on so few, or samples are too few."


def _gains(found: dict[str, Any]) -> list[str]:
    lines = []
    if found["head_only_accuracy"] is not None:
        lines.append(f"The head alone answers {_percent(found['head_only_accuracy'])} of the validation images.")
    for step in found["steps"]:
        if step["samples"]:
            text = (
                f"Run {step['run']}: {step['samples']:,} training samples, {step['trainable_parameters']:,} parameters "
            )
            lines.append(f"{text}trained; validation {_percent(step['accuracy'])}{_gain(found, step)}.")
            lines += _new_head(step)
    if found["rejected"]:
        lines.append(f"{found['rejected']} other children were rejected.")
    return lines


def _new_head(step: dict[str, Any]) -> list[str]:
    """What a head that was made anew after training gained."""
    new, before = step["new_head_accuracy"], step["trained_head_accuracy"]
    if new is None or before is None:
        return []
    kept = "that one is kept" if new >= before else "the trained one is kept"
    return [f"Its head answered {_percent(before)} as trained and {_percent(new)} made anew in closed form: {kept}."]


def _gain(found: dict[str, Any], step: dict[str, Any]) -> str:
    """What a step has over the head alone, in points."""
    if found["head_only_accuracy"] is None:
        return ""
    points = 100 * (step["accuracy"] - found["head_only_accuracy"])
    return f", {abs(points):.1f} points {'more' if points >= 0 else 'less'} than the head alone"
