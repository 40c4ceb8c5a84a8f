"""Where litters are trained: in this process, in several, or on a cluster. The population is the same everywhere."""

from munet.executors.executor import EXECUTORS, Executor, Team, plan_workers, start_executor

__all__ = ["EXECUTORS", "Executor", "Team", "plan_workers", "start_executor"]
