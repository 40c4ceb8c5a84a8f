"""What is stored, as types: each record, and the one function that begins it. Bytes and ids follow from these alone.

    manifest.py     Manifest: a model
    task.py         TaskRecord: a task, and TaskData, the part that tells of its images
    run.py          RunRecord and FinishedRecord: how a run began, and that it is over
    generation.py   GenerationRecord: the ChildRecords of a generation
    iteration.py    IterationRecord: what a task iteration retained, and the Totals of the system

docs/format.md tells other readers the same. A record that was read has these types because `munet.store` says so where
it reads it; keys that a later munet or other code added stay in it.
"""

from munet.store.schema.generation import (
    ChildRecord,
    FlopsSpent,
    GenerationRecord,
    Seconds,
    Verdict,
    child_record,
    generation_record,
    verdict,
)
from munet.store.schema.iteration import IterationRecord, SystemTotals, Totals, iteration_record
from munet.store.schema.manifest import Manifest, Metrics, Mutation, NativePosembed, RootOrigin, manifest
from munet.store.schema.run import (
    FinishedRecord,
    RunRecord,
    RunRequest,
    finished_record,
    run_record,
    run_request,
)
from munet.store.schema.task import (
    ActivePopulation,
    IterationPlace,
    ModelTest,
    OlderData,
    RetainedModel,
    SeenModel,
    SignedModel,
    SplitRecord,
    TaskData,
    TaskRecord,
    model_test,
    split_record,
    task_data,
    task_record,
)

__all__ = [
    "ActivePopulation",
    "ChildRecord",
    "FinishedRecord",
    "FlopsSpent",
    "GenerationRecord",
    "IterationPlace",
    "IterationRecord",
    "Manifest",
    "Metrics",
    "ModelTest",
    "Mutation",
    "NativePosembed",
    "OlderData",
    "RetainedModel",
    "RootOrigin",
    "RunRecord",
    "RunRequest",
    "Seconds",
    "SeenModel",
    "SignedModel",
    "SplitRecord",
    "SystemTotals",
    "TaskData",
    "TaskRecord",
    "Totals",
    "Verdict",
    "child_record",
    "finished_record",
    "generation_record",
    "iteration_record",
    "manifest",
    "model_test",
    "run_record",
    "run_request",
    "split_record",
    "task_data",
    "task_record",
    "verdict",
]
