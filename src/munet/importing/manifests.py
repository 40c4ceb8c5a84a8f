"""The manifests of imported models, complete but for the ids that only writing gives.

They are made before anything is written, so that a value that cannot be used is found first. A draft has no layers, no
momentum and no parent yet.
"""

from collections.abc import Mapping
from typing import Any

from munet.importing.blueprint import Blueprint, Plan
from munet.importing.hyperparameters import accuracies, hyperparameters, mutation_probabilities, verbatim
from munet.importing.lineage import Family
from munet.importing.state import Key, Model, State, key_text
from munet.model.cost import flops
from munet.model.slots import is_adapter, is_block
from munet.store.schema import Manifest, Metrics, Mutation, manifest


def draft_models(plan: Plan, state: State, family: Family, names: Mapping[str, str]) -> dict[Key, Manifest]:
    """Manifest of the root and of each task's model, by published key. InputError for values that cannot be."""
    blueprints = {blueprint.model.key: blueprint for blueprint in [plan.root, *plan.models]}
    drafts = {family.root.key: _root(plan, state)}
    for blueprint in plan.models:
        model, parent = blueprint.model, family.parents[blueprint.model.key]
        settings = hyperparameters(model, blueprint)
        drafts[model.key] = manifest(
            task=names[model.task or ""],
            architecture=plan.architecture.to_json(),
            sizes=blueprint.sizes,
            hyperparameters=settings,
            mutation_probabilities=mutation_probabilities(model),
            mutations=mutations(blueprints[parent], blueprint, drafts[parent]["hyperparameters"], settings),
            method=state.format,
            generation=model.row.whole("metrics.generation") or drafts[parent]["generation"] + 1,
            metrics=_metrics(plan, blueprint, state),
            imported=_imported(model, state),
        )
    return drafts


def mutations(
    parent: Blueprint, child: Blueprint, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Mutation]:
    """In what a model differs from its parent, as mutations. Norm and head always differ, and are none."""
    changed = [name for name in sorted(after) if name in before and before[name] != after[name]]
    found: list[Mutation] = [{"kind": "set", "name": name, "old": before[name], "new": after[name]} for name in changed]
    gone = [slot for slot in parent.slots if is_block(slot) and slot not in child.slots]
    found += [{"kind": "remove_block", "slot": slot} for slot in gone]
    more = [slot for slot in child.slots if slot not in parent.slots]
    found += [{"kind": "restore_block", "slot": slot} for slot in more if is_block(slot)]
    found += [{"kind": "insert_adapter", "slot": slot} for slot in more if is_adapter(slot)]
    copied = [slot for slot, key in child.slots.items() if parent.slots.get(slot, key) != key]
    return found + [{"kind": "clone", "slot": slot} for slot in copied if slot not in ("norm", "head")]


def _root(plan: Plan, state: State) -> Manifest:
    return manifest(
        architecture=plan.architecture.to_json(),
        sizes=plan.root.sizes,
        hyperparameters={"image_size": plan.root.image_size},
        root={"source": f"import:{state.format}"},
        imported=_imported(plan.root.model, state),
    )


def _imported(model: Model, state: State) -> dict[str, Any]:
    """What the published code called a model, and all that it said of it."""
    return {"format": state.format, "path": key_text(model.key), "task": model.task} | verbatim(model)


def _metrics(plan: Plan, blueprint: Blueprint, state: State) -> Metrics:
    model, a = blueprint.model, plan.architecture
    quality = model.row.number("metrics.quality")
    if quality is None or not 0 <= quality <= 1:
        raise model.row.wrong("metrics.quality", "the validation accuracy, from 0 to 1")
    cycles, kept = accuracies(model, earlier=state.format == "munet")
    return {
        "validation_accuracy": quality,
        "validation_examples": None,
        "cycle": kept,
        "accuracies": cycles,
        "score": model.score,
        "accounted_parameters": model.row.number("metrics.training_accounted_params") or model.accounted,
        "flops": flops(a, blueprint.num_blocks, blueprint.image_size, blueprint.classes or 0, blueprint.adapters),
    }
