"""What people of timm and PyTorch call commands and options: only to say how it is done here."""

from collections.abc import Iterable, Mapping

from munet.errors import suggest

_COMMANDS = {
    **dict.fromkeys(("train", "fit", "finetune", "fine-tune", "tune", "run", "search"), "evolve"),
    **dict.fromkeys(("list", "ls", "info", "leaderboard"), "status"),
    **dict.fromkeys(("eval", "test", "val", "validate", "benchmark"), "evaluate"),
    **dict.fromkeys(("infer", "inference", "classify"), "predict"),
    **dict.fromkeys(("new", "create"), "init"),
    **dict.fromkeys(("check", "verify", "doctor"), "fsck"),
    **dict.fromkeys(("rm", "remove", "delete", "rename", "mv", "move", "tasks"), "task"),
    **dict.fromkeys(("dashboard", "ui", "monitor"), "watch"),
    **dict.fromkeys(("presets", "models"), "methods"),
}
_OPTIONS = {
    **dict.fromkeys(("--batch", "--bs", "-b", "-bs", "--per-device-train-batch-size"), "--batch-size"),
    **dict.fromkeys(("--img", "--imgsz", "--img-size", "--input-size", "--size", "--resolution"), "--image-size"),
    **dict.fromkeys(("--amp", "--bf16", "--fp16", "--mixed-precision", "--dtype"), "--precision bf16"),
    **dict.fromkeys(("--gpu", "--gpus", "--cuda"), "--device cuda"),
    **dict.fromkeys(("--cpu", "--no-cuda"), "--device cpu"),
    **dict.fromkeys(("--num-workers", "-j", "--jobs", "--n-jobs", "--parallel"), "--workers"),
    **dict.fromkeys(("--model", "--arch", "--backbone", "--base-model", "--pretrained"), "--root timm:NAME"),
    **dict.fromkeys(("--val", "--val-split", "--valid", "--validation-split", "--val-ratio"), "--validation"),
    **dict.fromkeys(("--topk", "--top-k", "-k"), "--top"),
    **dict.fromkeys(("--wandb", "--tensorboard", "--trackio", "--logger", "--report-to", "--log-dir"), "--log"),
    **dict.fromkeys(("--budget-minutes", "--time-limit", "--max-time"), "--time"),
    **dict.fromkeys(("--out", "--output", "-o", "--file"), "--write"),
}
_RATE = "`--method finetune-tuned --set defaults.{0}=VALUE` sets it, the other methods compute or search it"
_EVOLVE = {
    **dict.fromkeys(
        ("--epochs", "--num-epochs", "--num-train-epochs", "-e", "--steps", "--max-steps"),
        "a budget counts training images: --budget quick, --samples-per-task N, or --time 10m",
    ),
    **dict.fromkeys(("--lr", "--learning-rate"), _RATE.format("learning_rate")),
    **dict.fromkeys(("--opt", "--optimizer", "--optimiser"), _RATE.format("optimiser")),
    **dict.fromkeys(("--weight-decay", "--wd"), _RATE.format("weight_decay")),
    "--momentum": _RATE.format("momentum"),
    **dict.fromkeys(("--sched", "--scheduler", "--lr-scheduler"), _RATE.format("schedule")),
    **dict.fromkeys(("--warmup", "--warmup-epochs", "--warmup-steps"), _RATE.format("warmup_ratio")),
    **dict.fromkeys(
        ("--model", "--arch", "--backbone", "--pretrained", "--root", "--weights", "--initial-checkpoint"),
        "the root of a system is chosen once, by `munet init SYSTEM --root timm:NAME`",
    ),
    **dict.fromkeys(("--data", "--dataset", "--data-dir"), "a task gets its images by `munet add SYSTEM NAME SOURCE`"),
    **dict.fromkeys(
        ("--output", "--output-dir", "--out", "-o", "--save-dir", "--project"),
        "models are kept in the system; `munet export SYSTEM TASK FILE` writes one",
    ),
    **dict.fromkeys(("--resume", "--continue"), "the same command goes on after an interruption, or `munet resume`"),
    **dict.fromkeys(
        ("--config", "-c", "--cfg"),
        "what you always give stands in SYSTEM/munet.toml; a method of your own is --method FILE.toml",
    ),
}
_ANY = {
    **dict.fromkeys(
        ("-v", "--verbose", "--debug"),
        "commands say what they do; --json has everything, MUNET_TRACEBACK=1 where an error comes from",
    ),
    **dict.fromkeys(("-q", "--quiet", "--silent"), "`> /dev/null` leaves only errors and notes"),
    **dict.fromkeys(("--format", "-f"), "the ending of the file says the format, and --json is for programs"),
    **dict.fromkeys(("--dry-run", "-n"), "nothing is tried without being done by this command"),
}


def other_command(word: str, known: Iterable[str]) -> str:
    """A line about a word that is no command."""
    meant = _COMMANDS.get(word.lower())
    hint = f" (did you mean '{meant}'?)" if meant else suggest(word, known)
    return f"no command '{word}'{hint}; `munet --help` lists them"


def other_option(option: str, command: str, known: Iterable[str]) -> str:
    """A line about a word that is no option of `command`, which knows `known`."""
    name, options, command = option.partition("=")[0].lower().replace("_", "-"), list(known), command or "munet"
    told: Mapping[str, str] = _ANY | (_EVOLVE if command == "evolve" else {})
    if name in told:
        return f"no option {option} for {command}: {told[name]}"
    meant = name if name in options else _OPTIONS.get(name, "")
    hint = f" (did you mean '{meant}'?)" if meant.partition(" ")[0] in options else suggest(name, options)
    return f"no option {option} for {command}{hint}; `--help` lists them"
