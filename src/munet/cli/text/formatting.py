"""Numbers, ids and mutations as short texts. No rich, no numpy: every command may import it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.model.slots import Slot, parse

if TYPE_CHECKING:
    from munet.store.schema import TaskRecord

from munet.text import clean, counted, value_text

NOTHING = "-"
ID_CHARACTERS = 10
_SPARKS = "▁▂▃▄▅▆▇█"


def short(identifier: str | None) -> str:
    """First characters of an id, enough to name it on the command line."""
    return identifier[:ID_CHARACTERS] if identifier else NOTHING


def percent(fraction: float | None, digits: int = 2) -> str:
    """`0.8345` -> `83.45`."""
    if fraction is None or not math.isfinite(fraction):
        return NOTHING
    return f"{100 * fraction:.{digits}f}"


def points(before: float | None, after: float | None, digits: int = 2) -> str:
    """Signed difference of two fractions in percentage points."""
    if before is None or after is None:
        return NOTHING
    return f"{100 * (after - before):+.{digits}f}"


def number(value: float | None) -> str:
    """`1525006` -> `1,525,006`; fractions of a shared parameter are rounded."""
    return NOTHING if value is None else f"{round(value):,}"


def compact(value: float | None) -> str:
    """`1525006` -> `1.53M`, for narrow terminals."""
    if value is None:
        return NOTHING
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}" if abs(value) < 999.5 * limit else f"{value / limit:.0f}{suffix}"
    return f"{value:.0f}"


def mflops(flops: float | None) -> str:
    return NOTHING if flops is None else f"{flops / 1e6:,.1f}"


def bytes_text(size: int) -> str:
    if size < 1000:
        return counted(size, "byte")
    for limit, suffix in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= limit:
            return f"{size / limit:.1f} {suffix}"
    return f"{size / 1e3:.1f} kB"


def duration(seconds: float | None) -> str:
    """`75` -> `1:15`; `3675` -> `1:01:15`."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def change_text(name: str, old: object, new: object) -> str:
    return f"{clean(name)} {value_text(old)}\N{RIGHTWARDS ARROW}{value_text(new)}"


def slots_text(slots: Sequence[str]) -> str:
    """Slots with runs of numbers joined: `block.0 block.1 block.2 norm` -> `block.0-2 norm`."""
    words: list[str] = []
    run: tuple[str, int, int] | None = None
    for slot in slots:
        kind, number, component = parse(slot)
        if run and number is not None and component is None and (kind, number) == (run[0], run[2] + 1):
            run = (kind, run[1], number)
            words[-1] = f"{clean(Slot(kind, run[1]).name)}-{number}"
            continue
        run = (kind, number, number) if number is not None and component is None else None
        words.append(clean(slot))
    return " ".join(words)


def mutations_text(mutations: Sequence[Mapping[str, Any]]) -> str:
    """One line that says what a child changed, e.g. `clone block.1-2, +adapter.0, learning_rate 0.01→0.02`."""
    cloned = [str(m["slot"]) for m in mutations if m.get("kind") == "clone"]
    parts = [f"clone {slots_text(cloned)}"] if cloned else []
    for mutation in mutations:
        match mutation.get("kind"):
            case "clone":
                continue
            case "set":
                parts.append(change_text(mutation["name"], mutation.get("old"), mutation.get("new")))
            case "insert_adapter":
                parts.append(f"+{clean(mutation['slot'])}")
            case "remove_block":
                parts.append(f"-{clean(mutation['slot'])}")
            case "train_jointly":
                parts.append(
                    f"trained jointly, round {number(mutation['round'])}" if "round" in mutation else "trained jointly"
                )
            case other:
                parts.append(clean(" ".join([str(other), *(str(v) for k, v in mutation.items() if k != "kind")])))
    return ", ".join(parts) or "trained further"


def sparkline(values: Sequence[float], low: float, high: float, width: int = 8) -> str:
    """The last `width` values as bars between `low` and `high`."""
    span = high - low
    bars = []
    for value in values[-width:]:
        if not math.isfinite(value):
            bars.append("!")
            continue
        level = (value - low) / span if span > 0 else 1.0
        bars.append(_SPARKS[min(len(_SPARKS) - 1, max(0, int(level * len(_SPARKS))))])
    return "".join(bars)


def plain(value: Any) -> Any:
    """`value` as JSON can say it: mappings, lists and scalars; what is not finite becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value.item() if hasattr(value, "item") else str(value)


def json_text(value: Any, indent: int | None = 2) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def older_line(record: "TaskRecord") -> str:
    """What the retained model is of, where the task's images changed since."""
    older = record.get("older")
    if older is None:
        return ""
    train = record["splits"]["train"]["examples"]
    known = f", {classes}" if (classes := older_classes(record)) else ""
    return f"it is of older data ({number(older['train'])} training images, now {number(train)}{known})"


def older_classes(record: "TaskRecord") -> str:
    """How many of its classes a task's model knows, where it has others since."""
    known, classes = record.get("older", {}).get("classes"), len(record["classes"])
    return "" if known in (None, classes) else f"{known} of the {classes} classes"


def added_line(record: "TaskRecord") -> str:
    """What was added, on one line."""
    held = [(part, record["splits"][part]) for part in ("train", "validation", "test")]
    splits = ", ".join(f"{part} {number(split['examples'])} ({clean(split['expression'])})" for part, split in held)
    private = ", private" if record["private"] else ""
    skipped = f"; {counted(record['skipped'], 'unusable image')} left out" if record["skipped"] else ""
    return f"{clean(record['name'])}: {counted(len(record['classes']), 'class')}{private}; {splits}{skipped}"
