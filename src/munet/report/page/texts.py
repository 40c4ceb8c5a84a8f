"""Names, values and mutations as the page writes them."""

from typing import Any

from munet import text

ID_DIGITS = 10


def shown(name: object) -> str:
    """A name on one line; control characters and marks that turn the direction of a line are made visible."""
    return text.clean(name)


def ident(identity: str | None) -> str | None:
    """As much of an id as names it on the command line."""
    return identity[:ID_DIGITS] if identity else None


def value_text(value: Any) -> str:
    """A hyperparameter's value as the page writes it."""
    return text.value_text(value, nothing="–", truth=("yes", "no"))


def mutation_text(kind: str, name: str | None, old: Any, new: Any) -> str:
    """What a mutation did, as `munet log` says it. Clones are listed apart, as the layers that a child trained."""
    if kind == "set":
        return f"{shown(name)} {value_text(old)} → {value_text(new)}"
    signs = {"insert_adapter": "+", "restore_block": "+", "remove_block": "−"}
    if kind in signs:
        return f"{signs[kind]}{shown(name)}"
    return shown(" ".join(part for part in (kind.replace("_", " "), name) if part))
