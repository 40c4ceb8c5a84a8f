"""How often a method reads a task's images for heads in closed form, which depends on what the images are."""

from munet.evolution.image_kind import kind_of
from munet.model.loader import ModelLoader
from munet.search import Method
from munet.search.adaptive import Kind, asks_of_mirrors, gains_from_a_new_head, views_of_a_head
from munet.store.schema import TaskRecord
from munet.tasks.cache.splits import Splits


def as_done(models: ModelLoader, splits: Splits, method: Method, task: TaskRecord, image_size: int) -> Method:
    """The method as it will read the images of a task: some of them are looked at where that matters."""
    matters = method.head == "closed-form" and (method.head_views > 1 or method.mirror == "probe")
    kind = kind_of(splits.get(task, "train", image_size)) if matters else "drawings"
    return with_heads_of(method, kind, sum(models.manifest(models.root)["sizes"].values()))


def with_heads_of(method: Method, kind: Kind, root_parameters: int) -> Method:
    """The method with the heads in closed form that it makes of images of a kind, and as often as it reads for them."""
    last = gains_from_a_new_head(method, root_parameters)
    mirror = "probe" if asks_of_mirrors(method, kind) else "always"
    return method.model_copy(update={"head_views": views_of_a_head(method, kind), "head_last": last, "mirror": mirror})
