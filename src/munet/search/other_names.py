"""What people of timm and PyTorch call methods and settings: only to say what was meant."""

from munet.errors import suggest
from munet.search.method import Method
from munet.search.space import DOMAINS

_TUNED = "'finetune-tuned-photos' for photographs, or 'finetune-tuned'"
_METHODS = {
    **dict.fromkeys(("finetune", "fine-tune", "finetuning", "fine-tuning", "full", "full-finetune"), _TUNED),
    **dict.fromkeys(("linear", "linear-probe", "linear-probing", "probe", "frozen", "head"), "'head-only'"),
    **dict.fromkeys(("lora", "peft", "adapter"), "'adapters:64'"),
    **dict.fromkeys(("auto", "automl", "default", "best"), "'adaptive'"),
    **dict.fromkeys(("evolution", "evolutionary", "mu2net+", "mu3net"), "'mu2net-plus'"),
}
_SETTINGS = {
    **dict.fromkeys(("lr", "rate", "base_lr"), "learning_rate"),
    **dict.fromkeys(("wd", "decay"), "weight_decay"),
    **dict.fromkeys(("opt", "optimizer", "optim"), "optimiser"),
    **dict.fromkeys(("sched", "scheduler", "lr_scheduler"), "schedule"),
    **dict.fromkeys(("warmup", "warmup_epochs", "warmup_steps"), "warmup_ratio"),
    **dict.fromkeys(("img_size", "imgsz", "input_size", "resolution"), "image_size"),
    **dict.fromkeys(("hflip", "horizontal_flip"), "flip"),
    **dict.fromkeys(("aug", "aa", "augment"), "augmentation"),
    **dict.fromkeys(("batch", "bs"), "batch_size"),
    **dict.fromkeys(("clip_grad", "grad_clip", "max_grad_norm"), "clip_norm"),
}
_TABLES = ("space", "defaults")


def other_method(name: str, known: tuple[str, ...]) -> str:
    """What a word that is no method may have meant, in brackets; or nothing."""
    meant = _METHODS.get(name.lower().replace("_", "-"))
    return f" (did you mean {meant}?)" if meant else suggest(name, known)


def other_setting(name: str) -> str:
    """What a word that is no setting may have meant, in brackets; or nothing."""
    table, dot, key = name.partition(".") if name.startswith(("space.", "defaults.")) else ("", "", name)
    if key in ("epochs", "num_epochs", "steps"):
        return " (a budget counts images: `samples_per_cycle` times `cycles`, or --samples-per-task)"
    meant = _SETTINGS.get(key, key)
    if meant == "image_size":
        return " (--image-size fixes it, 'space.image_size' is what is searched)"
    if dot:
        return f" (did you mean '{table}.{meant}'?)" if meant in DOMAINS else _within(table, key)
    if meant in DOMAINS:
        return f" (did you mean 'defaults.{meant}', what children start with, or 'space.{meant}', what is searched?)"
    names = [field for field in Method.model_fields if field not in _TABLES]
    return f" (did you mean '{meant}'?)" if meant in names else suggest(key, names)


def _within(table: str, key: str) -> str:
    near = suggest(key, DOMAINS)
    return near.replace("mean '", f"mean '{table}.")
