"""experiment: grids of methods and seeds on a benchmark, and their tables."""

import typer


def register(app: typer.Typer) -> None:
    del app
