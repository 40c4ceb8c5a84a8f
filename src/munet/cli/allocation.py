"""allocation: tasks trained jointly over a pool of components, each learning which it uses."""

import typer


def register(app: typer.Typer) -> None:
    del app
