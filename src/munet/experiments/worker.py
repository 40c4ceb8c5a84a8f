"""A process that performs one run of a grid and tells what happens, one JSON object a line, on standard output.

`python -m munet.experiments.worker REQUEST`, where REQUEST is the JSON that `request` gives.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

from munet.errors import MunetError
from munet.evolution.executors.worker_slots import end_with
from munet.evolution.options import Where
from munet.experiments.grid import Run
from munet.experiments.running import perform
from munet.experiments.spec import Spec


def request(run: Run, data: Path | None, where: Where) -> str:
    """What a worker is to do."""
    cell = {"out": str(run.out), "benchmark": run.benchmark, "budget": run.budget, "spec": str(run.spec)}
    return json.dumps(cell | {"seed": run.seed, "data": None if data is None else str(data), "where": asdict(where)})


def main(words: list[str]) -> int:
    """Exit code 0: the run is finished; 2: it cannot be, and the last line on standard error says why."""
    from munet.evolution.events import event_json

    Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    asked = json.loads(words[0])
    run = Run(Path(asked["out"]), asked["benchmark"], asked["budget"], Spec.parse(asked["spec"]), asked["seed"])
    data = None if asked["data"] is None else Path(asked["data"])

    def tell(value: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()

    try:
        perform(
            run,
            data,
            Where(**asked["where"]),
            observe=lambda event: tell(event_json(event)),
            reading=lambda task: tell({"event": "reading", "task": task}),
        )
    except MunetError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
