from .data.examples import Examples
from .data.tasks import TaskData
from .export.export import export_network
from .network.fused import fuse
from .network.network import MultitaskNetwork, Pool
from .routing.allocations import FixedAllocation, LearnedAllocation
from .training.settings import Settings
from .training.trainer import train

__all__ = [
    "Examples",
    "FixedAllocation",
    "LearnedAllocation",
    "MultitaskNetwork",
    "Pool",
    "Settings",
    "TaskData",
    "export_network",
    "fuse",
    "train",
]
