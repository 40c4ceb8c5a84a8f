"""import: systems of the papers' published code."""

import typer


def register(app: typer.Typer) -> None:
    del app
