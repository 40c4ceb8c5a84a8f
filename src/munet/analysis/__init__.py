"""What a system learned, from whom and at what cost, as tables and values. Draws nothing and needs no torch.

snapshot.py       what one system holds, read once: run records, task records, manifests
children.py       run records as columns: every child ever sampled
timeline.py       what follows from the order of children: parents, the best so far, depths
frames.py         History: the tables of one or several systems
child_fields.py   the fields of a child, in one list
columns.py        the columns of the other tables with their types; rows.py fills all of them
lineage.py        ancestors, their tree, the tasks that trained inherited weights
model_history.py  what `munet log`, `show` and `diff` say of one model
present_names.py  what tasks are called now, of which runs keep the names of their time
people.py         what each contributed
authors.py        who evolved a model
unfinished.py     runs that are not finished: whose, how old, what would be lost
explanation.py    what `munet explain` says of a task's model
card.py           the model card of a system
status.py         what `munet status` says of a system
sharing.py        layers that two tasks have in common
flow.py           which tasks' models others descend from
paths.py          which layers a model had; growth.py the network at any moment
settings.py       hyperparameters and learned mutation probabilities
learning.py       accuracy over validations, along each lineage
alternatives.py   each task beside its head alone, fine-tuning, and other systems
progress.py       quality, size and compute after each task iteration
costs.py          where time, FLOPs and parameters went, why children were rejected
summary.py        leaderboard, totals, what a run changed
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
