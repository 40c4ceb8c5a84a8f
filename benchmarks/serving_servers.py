"""The servers that serving.py compares, each in a process of its own.

    python benchmarks/serving_servers.py NAME SYSTEM PORT

trie        munet serve
one-by-one  munet serve --rows 1: no batches
by-task     munet serve, but every task's rows are computed by themselves, as servers of single models batch them
timm        a plain loop: Starlette, one timm model a task, a thread for each request
litserve    LitServe, one timm model a task, batches of up to 64 grouped by task
"""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import munet

NAMES = ("trie", "one-by-one", "by-task", "timm", "litserve")


def munet_server(name: str, system: munet.System, port: int) -> None:
    from munet.serving import server
    from munet.serving.batcher import Batcher, Wanted
    from munet.serving.limits import Limits

    class ByTask(Batcher):
        def _computed(self, wanted: list[Wanted]) -> list[list[torch.Tensor]]:
            groups: dict[str, list[int]] = {}
            for number, one in enumerate(wanted):
                groups.setdefault(one.nodes[0].key, []).append(number)
            found: dict[int, list[torch.Tensor]] = {}
            for numbers in groups.values():
                answers = super()._computed([wanted[number] for number in numbers])
                found.update(zip(numbers, answers, strict=True))
            return [found[number] for number in range(len(wanted))]

    if name == "by-task":
        server.Batcher = ByTask
    limits = Limits(rows=1) if name == "one-by-one" else Limits()
    server.bind(system.models, port=port, device="cpu", limits=limits).run()


class Models:
    """One timm model a task, and what is done with an image before and after."""

    def __init__(self, system: munet.System) -> None:
        from plain import build

        a = system.architecture
        self.models: dict[str, torch.nn.Module] = {}
        for task in system.tasks:
            manifest = system.manifest(task)
            self.size = manifest["hyperparameters"]["image_size"]
            layers = {slot: system.models.layer(layer) for slot, layer in manifest["layers"].items()}
            # timm's own copy of each tensor, as when it is loaded from a file
            copied = {slot: {name: t.clone() for name, t in layer.items()} for slot, layer in layers.items()}
            self.models[task] = build(a, copied, self.size).eval()
        self.classes = system.task(system.tasks[0])["classes"]
        self.mean, self.std = (torch.tensor(values).view(3, 1, 1) for values in (a.mean, a.std))

    def prepared(self, data: bytes) -> torch.Tensor:
        """Bytes of an image file as (3, S, S)."""
        image = Image.open(io.BytesIO(data)).convert("RGB")
        if image.size != (self.size, self.size):
            image = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
        return (torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - self.mean) / self.std

    def told(self, logits: torch.Tensor) -> list[dict[str, Any]]:
        values, indices = logits.softmax(0).topk(min(5, len(logits)))
        pairs = zip(values.tolist(), indices.tolist(), strict=True)
        return [{"label": self.classes[index], "score": value} for value, index in pairs]

    @torch.inference_mode()
    def logits(self, task: str, images: torch.Tensor) -> torch.Tensor:
        return self.models[task](images)


def timm_server(system: munet.System, port: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    models = Models(system)

    def answer(task: str, data: bytes) -> list[dict[str, Any]]:
        return models.told(models.logits(task, models.prepared(data)[None])[0])

    async def classify(request: Request) -> JSONResponse:
        data = await request.body()
        return JSONResponse(await run_in_threadpool(answer, request.path_params["task"], data))

    app = Starlette(routes=[Route("/models/{task}", classify, methods=["POST"])])
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def main() -> None:
    name, path, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    system = munet.System.open(path)
    if name == "timm":
        timm_server(system, port)
    else:
        munet_server(name, system, port)


if __name__ == "__main__":
    main()
