"""Methods from presets, from a user's own TOML, and from `--set name=value`."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from munet.errors import InputError
from munet.fs.decoding import DecodingError, decode_toml
from munet.search.method import Method
from munet.search.other_names import other_method, other_setting
from munet.search.space import DOMAINS

_TABLES = ("space", "defaults")


def preset_names() -> tuple[str, ...]:
    """Names of the methods that ship with munet, sorted."""
    folder = files("munet.search").joinpath("presets")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_method(name: str | Path, overrides: Mapping[str, object] | None = None) -> Method:
    """The method of a preset name or a path to a TOML file (ending in .toml), with `overrides` on top.

    Some presets take a value behind a colon, `adapters:64`: the setting that they name as `parameter` gets it.
    A file may start from another method with `extends = "mu2net-plus"`, and from there change single settings and
    single keys of `space` and `defaults`; the value "none" takes a key out. Override names are setting names,
    `space.KEY` and `defaults.KEY`; text values are read as TOML would, lists with or without brackets and quotes.
    InputError in one line for whatever cannot be.
    """
    settings = _read(name, ())
    for setting, value in (overrides or {}).items():
        _override(settings, setting, value)
    return _validated(settings, str(name))


def _read(name: str | Path, seen: tuple[str, ...]) -> dict[str, Any]:
    base_name, _, value = (str(name), "", "") if _is_path(name) else str(name).partition(":")
    text, label = _text(name if _is_path(name) else base_name)
    if label in seen:
        raise InputError(f"method {seen[0]}: 'extends' goes round in a circle: {' -> '.join([*seen, label])}")
    try:
        own = decode_toml(text)
    except DecodingError as error:
        raise InputError(f"method {label} is not valid TOML: {error}") from None
    own.pop("when", None)  # for people
    base: dict[str, Any] = {}
    if "extends" in own:
        extends = own.pop("extends")
        if not isinstance(extends, str):
            raise InputError(f"method {label}: extends is {extends!r}; it must be the name or path of a method")
        relative = _is_path(extends) and _is_path(name)  # a file's path is relative to the file
        base = _read(Path(name).parent / extends if relative else extends, (*seen, label))
    if _is_path(name):
        base["name"] = Path(name).stem
    for setting, inner in own.items():
        if setting in _TABLES and isinstance(inner, dict):
            base.setdefault(setting, {})
            for key, item in inner.items():
                _put(base, setting, key, item)
        else:
            base[setting] = inner
    if not _is_path(name):
        _set_parameter(base, str(name), value)
    return base


def _set_parameter(settings: dict[str, Any], name: str, value: str) -> None:
    """Give the setting that a preset names as its parameter the value behind the colon of `name`, if there is one."""
    parameter = settings.pop("parameter", None)
    if value and parameter is None:
        raise InputError(f"method '{name}': {settings['name']} takes no value; write {settings['name']}")
    if value:
        _override(settings, parameter, value)
        settings["name"] = name


def _is_path(name: str | Path) -> bool:
    return isinstance(name, Path) or name.endswith(".toml")


def _text(name: str | Path) -> tuple[str, str]:
    """Content of the TOML, and what errors call it."""
    if _is_path(name):
        try:
            return Path(name).read_text(encoding="utf-8"), str(name)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise InputError(f"cannot read method {name}: {reason}", kind="unknown-method") from None
    known = preset_names()
    if name not in known:
        raise InputError(
            f"unknown method '{name}'{other_method(str(name), known)}; `munet methods` says which to take when, "
            "and your own is a path ending in .toml",
            kind="unknown-method",
        )
    return files("munet.search").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8"), str(name)


def _override(settings: dict[str, Any], setting: str, value: object) -> None:
    table, dot, key = setting.partition(".")
    if not dot:
        if setting in _TABLES:
            raise InputError(f"setting '{setting}' is a table; set one key of it, for instance {setting}.momentum")
        _check_known(setting)
        is_list = setting == "mutation_probability_values"
        settings[setting] = _parsed(value, is_list=is_list)
        return
    if table not in _TABLES or key not in DOMAINS:
        _check_known(setting)
    _put(settings, table, key, _parsed(value, is_list=table == "space"))


def _put(settings: dict[str, Any], table: str, key: str, value: object) -> None:
    target = settings.setdefault(table, {})
    if not isinstance(target, dict):
        raise InputError(f"setting '{table}' is {target!r}; it must be a table of hyperparameters")
    if value is None or value == "none":
        target.pop(key, None)
    else:
        target[key] = value


def _check_known(setting: str) -> None:
    names = [field for field in Method.model_fields if field not in _TABLES]
    if setting not in names:
        text = f"unknown setting '{setting}'{other_setting(setting)}; `munet methods NAME` lists those of a method"
        raise InputError(text, kind="unknown-setting")


def _parsed(value: object, *, is_list: bool) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if is_list and text.lower() not in ("none", "null"):
        inner = text.removeprefix("[").removesuffix("]")
        return [_scalar(part.strip()) for part in inner.split(",") if part.strip()]
    return _scalar(text)


def _scalar(text: str) -> bool | int | float | str:
    """A word of the command line as TOML or Python would read it: true, 4, 5e-4, .9, "cosine" or cosine."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.lower() in ("none", "null"):
        return "none"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" else text


def _validated(settings: dict[str, Any], label: str) -> Method:
    try:
        return Method.model_validate(settings)
    except ValidationError as error:
        problems = error.errors()
    problem = problems[0]
    setting = str(problem["loc"][0]) if problem["loc"] else ""
    where = ".".join(str(part) for part in problem["loc"][:2]) if setting in _TABLES else setting
    if problem["type"] == "value_error":
        raise InputError(f"method {label}: {problem['msg'].removeprefix('Value error, ')}")
    if problem["type"] == "extra_forbidden":
        raise InputError(f"method {label}: unknown setting '{where}'{other_setting(where)}", kind="unknown-setting")
    if problem["type"] == "missing":
        raise InputError(f"method {label}: setting '{where}' is missing; add it, or start with `extends = \"munet\"`")
    # a union reports once for each of its members
    parts = [one["msg"].replace("Input should be ", "") for one in problems if one["loc"][:1] == problem["loc"][:1]]
    expected = " or ".join(parts).replace("a valid tuple", "a list").replace("a valid ", "a ")
    expected = expected.replace("a integer", "a whole number").replace("a boolean", "true or false")
    if setting in ("flops_reference", "freeze_below"):
        expected += " or 'none'"
    raise InputError(f"method {label}: setting '{where}' is {problem['input']!r}; it must be {expected}")
