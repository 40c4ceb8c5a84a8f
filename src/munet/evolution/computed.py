"""The child of a task as evidence has it (ours, docs/method.md): computed once, then trained on all of the samples."""

from munet.evolution.active_task import ActiveTask
from munet.evolution.jobs import HeadFit
from munet.evolution.probe import Prober
from munet.evolution.work import images_for_head
from munet.search.adaptive import Evidence, gains_from_a_new_head, plan_child, plan_refitted, plan_untrained
from munet.search.mutations import Plan


def evidence_of(active: ActiveTask, prober: Prober) -> Evidence:
    """What the images of the active task say of the root, and of what other tasks retained."""
    alone = active.untrained or active.method.parents != "probe"
    others = [] if alone else [model for model in active.public_models if model != active.models.root]
    most = active.method.probed_tasks
    key = (active.run.request.seed, active.name, "probe")
    size = active.run.request.image_size or active.inheritance.root["hyperparameters"]["image_size"]
    return prober.evidence(active.record, key, others, size, most=most, method=active.method)


def computed_child(active: ActiveTask, evidence: Evidence) -> tuple[str, Plan]:
    """(parent, plan) of the first child that is trained for a task; without training, of the one that is its head."""
    if active.untrained:
        root = evidence.root
        return root.model, plan_untrained(active.method, active.as_parent(root.model), root, evidence)
    method, size = active.method, active.run.request.image_size
    parent = evidence.best.model if method.parents == "probe" else evidence.root.model
    samples = method.cycles * method.samples_per_cycle
    root_parameters = sum(active.inheritance.root["sizes"].values())
    return parent, plan_child(method, active.as_parent(parent), evidence, samples, root_parameters, size)


def refitted_child(active: ActiveTask) -> tuple[str, Plan]:
    """(parent, plan) of the task's own model with a head for the images of now, which changed since it was trained."""
    parent = active.best()
    return parent, plan_refitted(active.method, active.as_parent(parent))


def head_fit(active: ActiveTask, plan: Plan) -> HeadFit | None:
    """How the head of a child is made, where that is in closed form."""
    if active.method.head != "closed-form":
        return None
    if is_untrained(plan):
        return _fit(active, plan, 1.0, active.method.head_views)
    return _fit(active, plan, active.method.head_temperature, 1)


def last_head_fit(active: ActiveTask, plan: Plan) -> HeadFit | None:
    """How the head of a child is made anew after its training, if it is."""
    root = sum(active.inheritance.root["sizes"].values())
    if is_untrained(plan) or not gains_from_a_new_head(active.method, root):
        return None
    return _fit(active, plan, 1.0, active.method.head_views)


def _fit(active: ActiveTask, plan: Plan, factor: float, views: int) -> HeadFit:
    """Where images are not cropped in training they are read once: changed drawings taught a head nothing."""
    classes = len(active.record["classes"])
    cropped = float(plan.hyperparameters.get("crop_area_min", 1.0)) < 1
    features = str(plan.hyperparameters.get("head_features", "pooled"))
    return HeadFit(classes, images_for_head(classes), features, factor, views if cropped else 1)


def is_untrained(plan: Plan) -> bool:
    """Whether nothing but a new head is planned."""
    return plan.cloned == {"head"}
