"""LitServe with one timm model a task: python benchmarks/serving_litserve.py litserve SYSTEM PORT

One worker, batches of up to 64 images that wait up to 5 ms, as `munet serve` has them; in a batch the rows of each task
are computed by themselves. Images come as base64 in JSON, which is what its decoder is made for.
"""

import base64
import sys
from pathlib import Path
from typing import Any

import litserve  # pyright: ignore[reportMissingImports]
import torch
from serving_servers import Models

import munet


class Api(litserve.LitAPI):
    path: Path

    def setup(self, device: str) -> None:
        self.models = Models(munet.System.open(self.path))

    def decode_request(self, request: dict[str, str]) -> tuple[str, torch.Tensor]:
        return request["task"], self.models.prepared(base64.b64decode(request["image"]))

    def batch(self, inputs: list[Any]) -> list[Any]:
        return list(inputs)

    def predict(self, x: list[tuple[str, torch.Tensor]]) -> list[torch.Tensor]:
        groups: dict[str, list[int]] = {}
        for number, (task, _) in enumerate(x):
            groups.setdefault(task, []).append(number)
        found: dict[int, torch.Tensor] = {}
        for task, numbers in groups.items():
            logits = self.models.logits(task, torch.stack([x[number][1] for number in numbers]))
            found.update(zip(numbers, logits, strict=True))
        return [found[number] for number in range(len(x))]

    def unbatch(self, output: list[torch.Tensor]) -> list[torch.Tensor]:
        return output

    def encode_response(self, output: torch.Tensor) -> list[dict[str, Any]]:
        return self.models.told(output)


def main() -> None:
    api = Api(max_batch_size=64, batch_timeout=0.005)
    api.path = Path(sys.argv[2])
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    options = {"num_api_servers": 1, "generate_client_file": False, "log_level": "warning"}
    server.run(host="127.0.0.1", port=int(sys.argv[3]), **options)


if __name__ == "__main__":
    main()
