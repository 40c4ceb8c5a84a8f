"""catalog: the benchmarks of the papers, and local ones."""

import typer


def register(app: typer.Typer) -> None:
    del app
