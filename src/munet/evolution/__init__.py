"""Algorithm 1 (mu2Net+): one task at a time, children are sampled, trained and scored; the best model is retained.

start.py          `evolve`: what was asked is checked, workers start, a run begins or goes on; `estimate`
estimate.py       how long a run takes, and how many samples fit in a time
work.py           how many images a run reads of each task; heads_read.py how often, by what they are
speeds.py         speeds that were measured on this machine
run_started.py    what a run says of itself when it begins
loop.py           the algorithm on a page
options.py        Budget and Where: what a run may spend, where it is done
asked.py          what a run is asked to do, checked without torch
runs.py           a run: begun, resumed, ended; its records
seen.py           what a generation sees of other tasks
active_task.py    the active task: its population, its parents, which model is retained
child.py          one child: sampled, judged, stored, recorded
inheritance.py    which ancestor's layer fills each slot, shared or cloned
origins.py        where a child's tensors come from: stored, or new
testing.py        what a model is measured as when it is retained
older.py          models of older data, on the images of now
jobs.py           job groups, which an executor trains, and their results
child_trainer.py  trains job groups on one device
executors/        in this process, in several, on a Ray cluster
computed.py       the child that the method `adaptive` computes instead of sampling
probe.py          heads on other models' features: which model suits a task; image_kind.py: drawings or photographs
head_fit.py       a head in closed form; head_features.py its inputs; new_head.py one that is made anew after training
shares.py         how many samples a task has: equally, by need, or what a trunk spent on it
trunk.py          a trunk that several tasks train together; trunk_trainer.py trains it
trunk_checkpoint.py  a trunk between two cycles, kept so that a killed run goes on from there
guessing.py       whether a model knows more than the commonest answer
events.py         what an observer of a run is called with
sinks/            observers that pass the curves of a run on: TensorBoard, trackio, W&B
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
