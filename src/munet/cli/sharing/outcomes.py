"""What became of each task, as a person reads it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from munet.cli.common import show
from munet.cli.text.formatting import bytes_text, percent, short
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.sharing.exchange import Outcome
    from munet.sharing.judging import Judged

_WORDS = {
    "new": "new there",
    "same": "the same",
    "ahead": "knows more there already",
    "taken": "taken over",
    "joined": "evolved on both sides",
}


def sentence(outcome: "Outcome") -> str:
    """One line: what happened, which model that leaves, who evolved it, what was copied."""
    if outcome.refused is not None:
        return f"{clean(outcome.task)}: refused"
    name = clean(outcome.task if outcome.source is None else f"{outcome.source} as {outcome.task}")
    text = f"{name}: {_WORDS[outcome.what]}"
    if outcome.what == "same":
        return text
    aside = "" if outcome.aside is None else f"; what had this name is called {clean(outcome.aside)} now"
    if outcome.model is None:
        return f"{text}, no model yet{aside}"
    who = f", by {clean(' and '.join(outcome.by))}" if outcome.by else ""
    if outcome.claimed:
        who = f", claimed{who.removeprefix(',')}"
    text += f"; it retains {short(outcome.model)} ({percent(outcome.accuracy)} on validation{who})"
    if outcome.over:
        beside = " and ".join(short(model) for model in outcome.over)
        text += f", and keeps {beside} beside it until the next one is retained"
    text += aside
    if outcome.layers:
        text += f"; {counted(outcome.layers, 'layer')}, {bytes_text(outcome.bytes)}"
    return text


def verdict(judged: "Judged") -> str:
    """One line: which models were measured here, what was claimed of them, and which one is retained for it."""
    found = ", ".join(
        f"{short(model)} {percent(accuracy)} %{_beside(judged, model)}" for model, accuracy in judged.accuracies.items()
    )
    text = f"{clean(judged.task)}: on {counted(judged.images, 'validation image')} here {found}"
    if len(judged.accuracies) == 1:
        return f"{text}; as claimed" if not judged.claimed else f"{text}: it stays a claim"
    return f"{text}; {short(next(iter(judged.accuracies)))} is retained"


def _beside(judged: "Judged", model: str) -> str:
    claim = judged.claimed.get(model)
    return f" ({percent(claim)} claimed)" if claim is not None else ""


def printed(as_json: bool) -> "Callable[[Outcome], None]":
    """Prints each task as it is done; with JSON nothing, until all are."""

    def told(outcome: "Outcome") -> None:
        if not as_json and outcome.refused is None:
            show(sentence(outcome))

    return told
