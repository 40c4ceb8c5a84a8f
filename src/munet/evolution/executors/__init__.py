"""Where job groups are trained: in this process, in several, on a Ray cluster. The population is the same everywhere.

base.py            what an evolution asks of an executor
choose.py          the choice among them
worker_plan.py     how many workers, threads, devices
local.py           this process
processes.py       worker processes on this machine; worker.py is what runs in them
ray_executor.py    a Ray cluster; ray_cluster.py finds it, ray_tasks.py runs on its nodes
messages.py        what a run and its workers say to each other
shipped_layers.py  layers for workers that do not see the system's disk
worker_slots.py    worker processes: started, watched, killed, replaced
failures.py        errors and deaths of workers, as their users should hear of them
"""

from munet.evolution.executors.base import Executor
from munet.evolution.executors.choose import join_cluster, start_executor
from munet.evolution.executors.worker_plan import EXECUTORS, WorkerPlan, plan_workers

__all__ = ["EXECUTORS", "Executor", "WorkerPlan", "join_cluster", "plan_workers", "start_executor"]
