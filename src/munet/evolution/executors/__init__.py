"""Where litters are trained: in this process, in several, or on a cluster. The population is the same everywhere.

executor.py    what an evolution asks of an executor, and the choice among them
team.py        how many workers, threads, devices
local.py       this process
processes.py   worker processes on this machine; worker.py is what runs in them, wire.py what is said
ray_executor.py  a Ray cluster; ray_cluster.py finds it, ray_tasks.py runs on its nodes
handed.py      layers for workers that do not see the system's disk
failures.py    errors and deaths of workers, as their users should hear of them
"""

from munet.evolution.executors.choose import Executor, join_cluster, start_executor
from munet.evolution.executors.worker_plan import EXECUTORS, Team, plan_workers

__all__ = ["EXECUTORS", "Executor", "Team", "join_cluster", "plan_workers", "start_executor"]
