"""Words that people of timm and PyTorch type: each is answered with a way that works."""

from pathlib import Path
from typing import Any

import pytest
import typer

import munet.cli as cli
from cli_tools import Run
from munet.cli import other_names


def commands() -> dict[str, Any]:
    app: Any = typer.main.get_command(cli.build())
    return app.commands


def test_every_command_and_option_that_is_named_exists():
    found = commands()
    assert set(other_names._COMMANDS.values()) <= set(found)
    options = {option for command in found.values() for parameter in command.params for option in parameter.opts}
    assert {meant.partition(" ")[0] for meant in other_names._OPTIONS.values()} <= options
    evolve = {option for parameter in found["evolve"].params for option in parameter.opts}
    assert not evolve & set(other_names._EVOLVE), "an option that exists needs no answer"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evolve f --epochs 3", "no option --epochs for evolve: a budget counts training images: --budget quick"),
        ("evolve f --lr=0.1", "no option --lr for evolve: `--method finetune-tuned --set defaults.learning_rate="),
        ("evolve f -v", "no option -v for evolve: commands say what they do"),
        ("evolve f --config fleet.toml", "SYSTEM/munet.toml"),
        ("evolve f --bs 32", "(did you mean '--batch-size'?)"),
        ("evolve f --img_size 32", "(did you mean '--image-size'?)"),
        ("evolve f --gpus 1", "(did you mean '--device cuda'?)"),
        ("evolve f --preprocesing none", "(did you mean '--preprocessing'?)"),
        ("evolve f --pizza", "no option --pizza for evolve; `--help` lists them"),
        ("predict f t a.png --topk 3", "(did you mean '--top'?)"),
        ("init f --model vit_tiny_patch16_224", "(did you mean '--root timm:NAME'?)"),
        ("--verbose status f", "no option --verbose for munet: "),
        ("train f", "no command 'train' (did you mean 'evolve'?)"),
        ("evall f", "no command 'evall' (did you mean 'evaluate'?)"),
        ("task shw f", "no such command 'shw'. Did you mean 'show'?; `munet task --help` says how"),
        ("evolve", "missing argument 'SYSTEM'; `munet evolve --help` says how"),
        ("init f --depth x", "invalid value for '--depth'"),
    ],
)
def test_what_is_said(words: str, said: str, run: Run):
    code, out, err = run(*words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("munet: error: ")
    assert said in err


def test_what_is_said_can_be_typed(run: Run, tmp_path: Path):
    """The rate that `--lr` is answered with is one that the method takes."""
    code, _, err = run("evolve", tmp_path, "--method", "finetune-tuned", "--set", "defaults.learning_rate=0.01")
    assert (code, "is no munet system" in err) == (2, True)
