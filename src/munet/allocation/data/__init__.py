"""The data of joint runs: tasks as rows of shared base arrays, and the experiments of arXiv 1910.04915."""

from munet.allocation.data.tasks import Batches, Examples, TaskData, epoch_order, on_device

__all__ = ["Batches", "Examples", "TaskData", "epoch_order", "on_device"]
