"""main(): exit codes, one line for each error, and what is never imported."""

import ast
import errno
import json
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest

import munet.cli as cli
from cli_tools import munet
from munet.errors import KINDS, DamagedError, InputError
from repo import DOCS

HEAVY = ("torch", "timm", "datasets", "numpy", "PIL", "matplotlib", "safetensors")
COMMANDS = (
    *("quickstart", "init", "add", "status", "evolve", "methods", "log", "show", "diff"),
    *("report", "plot", "animate", "watch"),
    *("evaluate", "predict", "export", "fsck", "gc", "catalog", "import", "attach"),
    *("experiment run", "experiment table", "experiment plot", "experiment continual"),
    *("remote add", "remote list", "remote remove", "clone", "push", "pull", "fetch", "merge", "agent"),
    *("allocation train", "allocation evaluate", "allocation plot", "allocation table", "allocation export"),
)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Runs in this process: (exit code, standard output, standard error)."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example(command: str, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = run(monkeypatch, capsys, *command.split(), "--help")
    assert code == 0
    assert f"munet {command} " in out or f"munet {command}\n" in out
    assert "Example" in out


def test_the_list_of_commands_is_the_documented_one():
    import typer

    app: Any = typer.main.get_command(cli.build())
    docs = (DOCS / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"## munet {name.split()[0]}" in docs
        assert f"munet {name} " in docs
        command = app
        for word in name.split():
            command = command.commands[word]
        for parameter in command.params:
            for option in parameter.opts:
                assert not option.startswith("--") or option == "--help" or f"`{option}" in docs, (name, option)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system without tasks, made in a process that may import torch."""
    folder = tmp_path_factory.mktemp("main")
    made = munet(
        "init", "fleet", "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32", cwd=folder
    )
    assert made.returncode == 0, made.stderr
    return folder / "fleet"


@pytest.mark.parametrize("command", ["--help", "evolve --help", "status FLEET", "log FLEET root", "show FLEET root"])
def test_nothing_heavy_is_imported(command: str, fleet: Path):
    words = command.replace("FLEET", str(fleet)).split(" ")
    code = (
        "import sys\nfrom munet.cli import main\ntry:\n    main()\nfinally:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = munet(*words, code=code)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"


def fail(error: BaseException):
    def build():
        def app(*, args: list[str], prog_name: str, standalone_mode: bool = True) -> None:
            raise error

        return app

    return build


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("no task 'x'"), 2, "munet: error: no task 'x'"),
        (InputError("two\nlines"), 2, "munet: error: two lines"),
        (DamagedError("a/b is cut short"), 3, "munet: error: a/b is cut short"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/x/y"),
            2,
            "munet: error: /x/y: no space left on device; free some space and give the same command again",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            2,
            "munet: error: /x: permission denied; change its mode or choose another place",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "q"),
            2,
            "munet: error: q: no such file or directory",
        ),
        (MemoryError(), 2, "munet: error: out of memory: a smaller --batch-size or --image-size needs less"),
        (
            KeyError("x"),
            1,
            "munet: error: internal error, KeyError: 'x'; MUNET_TRACEBACK=1 shows where it happened",
        ),
        (KeyboardInterrupt(), 130, "munet: interrupted; the same command goes on: munet evolve 'a b'"),
        (SystemExit(130), 130, "munet: interrupted; the same command goes on: munet evolve 'a b'"),
        (SystemExit(143), 143, "munet: interrupted; the same command goes on: munet evolve 'a b'"),
    ],
)
def test_errors_are_one_line(error: BaseException, code: int, line: str, monkeypatch, capsys):
    monkeypatch.setattr(cli, "build", fail(error))
    monkeypatch.delenv("MUNET_TRACEBACK", raising=False)
    got, out, err = run(monkeypatch, capsys, "evolve", "a b")
    assert (got, out, err) == (code, "", line + "\n")


def test_sigterm_ends_a_command_as_ctrl_c_does(monkeypatch, capsys):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "build", lambda: lambda **how: signal.raise_signal(signal.SIGTERM))
    got, _, err = run(monkeypatch, capsys, "evolve", "a b")
    assert (got, err) == (143, "munet: interrupted; the same command goes on: munet evolve 'a b'\n")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (InputError("no task 'x'"), "input", 2),
        (InputError("no task 'x'", kind="unknown-task"), "unknown-task", 2),
        (DamagedError("a/b is cut short"), "damaged", 3),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "store", 2),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "q"), "missing-file", 2),
        (MemoryError(), "memory", 2),
        (KeyError("x"), "internal", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (SystemExit(130), "interrupted", 130),
        (SystemExit(143), "interrupted", 143),
    ],
)
def test_with_json_an_error_is_one_object(error: BaseException, kind: str, code: int, monkeypatch, capsys):
    monkeypatch.setattr(cli, "build", fail(error))
    monkeypatch.delenv("MUNET_TRACEBACK", raising=False)
    got, out, err = run(monkeypatch, capsys, "evolve", "a b", "--json")
    assert (got, out, err.count("\n")) == (code, "", 1)
    failure = json.loads(err)["error"]
    assert (failure["kind"], failure["exit_code"]) == (kind, code)
    assert kind in KINDS
    assert "munet: error" not in failure["message"]


@pytest.mark.parametrize(
    ("words", "kind", "part"),
    [
        ("status NOWHERE --json", "no-system", "munet init"),
        ("nonsense --json", "usage", "nonsense"),
        ("status --json --nonsense NOWHERE", "usage", "--nonsense"),
        ("status --json", "usage", "SYSTEM"),
        ("init NOWHERE --depth 0 --json", "usage", "--json"),
        ("evolve NOWHERE --seed much --json", "usage", "--seed"),
        ("methods nope --json", "unknown-method", "nope"),
        ("show FLEET nope --json", "unknown-model", "nope"),
        ("log FLEET 12345678 --json", "unknown-model", "12345678"),
        ("allocation evaluate NOWHERE --json", "missing-file", "config.json"),
    ],
)
def test_kinds_of_errors_with_json(words: str, kind: str, part: str, fleet: Path, tmp_path: Path, monkeypatch, capsys):
    places = {"NOWHERE": str(tmp_path / "nowhere"), "FLEET": str(fleet)}
    code, out, err = run(monkeypatch, capsys, *(places.get(word, word) for word in words.split()))
    assert (code, out, err.count("\n")) == (2, "", 1), err
    failure = json.loads(err)["error"]
    assert (failure["kind"], failure["exit_code"]) == (kind, 2)
    assert part in failure["message"]


def test_with_json_what_ends_well_is_as_without(monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "methods", "mu2net-plus", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["name"] == "mu2net-plus"
    code, out, err = run(monkeypatch, capsys, "status", "--json", "--help")
    assert (code, err) == (0, "")


def test_json_behind_two_dashes_is_a_name(monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "methods", "--", "--json")
    assert (code, err.startswith("munet: error: unknown method")) == (2, True)


def test_kinds_of_errors_are_documented():
    docs = (DOCS / "cli.md").read_text(encoding="utf-8")
    for kind, meaning in KINDS.items():
        assert f"| `{kind}` | {meaning} |" in docs


def test_every_kind_that_is_raised_is_known():
    sources = [path.read_text(encoding="utf-8") for path in Path(cli.__file__).parents[1].rglob("*.py")]
    raises = [node.exc for text in sources for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Raise)]
    given = [
        word.value for call in raises if isinstance(call, ast.Call) for word in call.keywords if word.arg == "kind"
    ]
    raised = {value.value for value in given if isinstance(value, ast.Constant)}
    assert {"unknown-task", "exists"} <= raised
    assert raised <= set(KINDS)


def test_a_kind_survives_a_process():
    error = pickle.loads(pickle.dumps(InputError("no", kind="no-model")))  # noqa: S301
    assert (str(error), error.kind, error.exit_code) == ("no", "no-model", 2)


def test_a_traceback_only_for_those_who_ask(monkeypatch):
    monkeypatch.setattr(cli, "build", fail(InputError("no")))
    monkeypatch.setenv("MUNET_TRACEBACK", "1")
    with pytest.raises(InputError):
        cli.main(["status"])


@pytest.mark.parametrize(
    "words",
    [("status",), ("nonsense",), ("status", "x", "--nonsense"), ("init", "x", "--depth", "0"), ("gc", "a", "b")],
)
def test_wrong_usage_exits_2(words: tuple[str, ...], monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, *words)
    assert code == 2
    assert "munet" in err


def test_version(monkeypatch, capsys):
    from munet import __version__

    assert run(monkeypatch, capsys, "--version") == (0, f"munet {__version__}\n", "")


def test_no_words_show_the_help(monkeypatch, capsys):
    _, out, err = run(monkeypatch, capsys)
    assert "evolve" in out + err


def test_not_a_system_is_one_line(tmp_path: Path, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "status", str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "munet init" in err


def test_settings_are_name_value_pairs():
    from munet.cli.common import parse_settings

    assert parse_settings(["a=1", " b = x=y "]) == {"a": "1", "b": "x=y"}
    with pytest.raises(InputError, match="name=value"):
        parse_settings(["a"])
    with pytest.raises(InputError, match="given twice"):
        parse_settings(["a=1", "a=2"])


def test_a_name_that_the_output_cannot_say_stops_nothing(tmp_path: Path):
    done = munet("methods", "--json", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert isinstance(json.loads(done.stdout), list)
    done = munet("status", str(tmp_path / "বাংলা"), PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr.startswith("munet: error: ")


def test_completion_names_commands_and_tasks(tmp_path: Path):
    (tmp_path / "fleet" / "tasks").mkdir(parents=True)
    (tmp_path / "fleet" / "tasks" / "mnist.json").write_text("{}", encoding="utf-8")

    def complete(line: str) -> list[str]:
        count = str(len(line.split(" ")) - 1)
        asked = {"_MUNET_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": count}
        return munet(cwd=tmp_path, **asked).stdout.split()

    assert complete("munet ev") == ["evolve", "evaluate"]
    assert complete("munet evolve fleet m") == ["mnist"]
    assert "mu2net-plus" in complete("munet evolve fleet --method mu2")
