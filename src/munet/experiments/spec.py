"""A method of an experiment, written as one word: a preset or file, its value, and what is changed about it.

finetune-full
adapters:512+preprocessing=none
munet+scale=0.3
finetune-full+preprocessing=none+replicas=1
mu2net-plus+samples=204800+mutation_probability=0.1
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from munet.errors import InputError, suggest
from munet.search import STARTS, Method, load_method

_FIRST = ("preprocessing", "samples", "scale", "replicas")
_EXAMPLE = "for instance munet+scale=0.3 or adapters:64+preprocessing=none"


@dataclass(frozen=True)
class Spec:
    """A method and its changes. `str` gives the canonical word, which also names the runs' folder."""

    base: str  # as `load_method` takes it: a preset, `preset:value` or a path ending in .toml
    preprocessing: str = "published"
    samples: int | None = None  # training samples of each task, in place of the budget's
    replicas: int | None = None  # of a baseline; all of them together get the same budget
    settings: Mapping[str, str] = field(default_factory=dict)  # of the method, by name

    @classmethod
    def parse(cls, word: str) -> "Spec":
        """InputError for an unknown method or setting, and for a value that cannot be."""
        base, *changes = word.split("+")
        given: dict[str, str] = {}
        for change in changes:
            name, equals, value = (part.strip() for part in change.partition("="))
            if not equals or not name or not value:
                raise InputError(f"method '{word}': write changes as +name=value, {_EXAMPLE}")
            if name in given:
                raise InputError(f"method '{word}': {name} is given twice")
            given[name] = value
        start = given.pop("preprocessing", STARTS[0])
        if start not in STARTS:
            known = f"{suggest(start, STARTS)}; choose {' or '.join(STARTS)}"
            raise InputError(f"method '{word}': preprocessing is {start}{known}")
        samples, replicas = (_count(word, name, given.pop(name, None)) for name in ("samples", "replicas"))
        spec = cls(base.strip(), start, samples, replicas, given)
        spec.method()  # refuses what cannot be
        return spec

    def method(self) -> Method:
        """The method at its own budget."""
        return load_method(self.base, self.settings)

    def changed(self, **changes: object) -> "Spec":
        """This method with further changes of the command line, which must not contradict its own."""
        word = str(self)
        for name, value in changes.items():
            if value is None or f"+{name}={value}" in word:
                continue
            if f"+{name}=" in word:
                raise InputError(f"method '{word}' and --{name} {value} say different things: leave one out")
            word += f"+{name}={value}"
        return Spec.parse(word)

    @property
    def folder(self) -> str:
        """A name for the folder of its runs."""
        stem = Path(self.base).stem if self.base.endswith(".toml") else self.base
        return stem + str(self)[len(self.base) :]

    def __str__(self) -> str:
        own = {"preprocessing": None if self.preprocessing == STARTS[0] else self.preprocessing}
        changes = own | {"samples": self.samples, "replicas": self.replicas, **self.settings}
        order = sorted(changes, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
        return self.base + "".join(f"+{name}={changes[name]}" for name in order if changes[name] is not None)


def _count(word: str, name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"method '{word}': {name} is {text}; it must be a whole number above 0")
    return int(text)
