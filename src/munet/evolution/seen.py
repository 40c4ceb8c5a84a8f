"""What a generation sees of other tasks: the models that they retained when it began. Others may evolve them meanwhile,
so it is recorded, and what it is made of stays until the next generation has looked."""

from munet.evolution.runs import Run
from munet.store import Store
from munet.store.run_files import generation_file
from munet.store.run_records import read_generation
from munet.store.schema import SeenModel


def retained_now(store: Store, task: str) -> list[SeenModel]:
    """What all tasks but one retain, in the order of the tasks. Inside a commit, or it may be let go at once."""
    return [
        {"task": record["name"], "model": model, "private": record["private"]}
        for record in store.task_records()
        if record["name"] != task and (model := record["model"]) is not None
    ]


def recorded(store: Store, run: Run, task: str, iteration: int, generation: int) -> list[SeenModel] | None:
    """What a generation saw of which children are recorded; None for one that may look anew."""
    file = generation_file(task, iteration, generation)
    return read_generation(store, run.name, file).get("seen") if store.has_run_file(run.name, file) else None
