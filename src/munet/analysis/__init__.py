"""What a system learned, from whom and at what cost, as tables and values; nothing is drawn here. Needs no torch.

frames         History: the tables of one or several systems
columns, rows  the columns of each table and their types; what stands in them
reading        what a system holds, read once, past damage
sampling       run records as columns: every child ever sampled
following      what follows from their order: parents, the best so far, depths
lineage        ancestors, their tree, through which tasks weights came
sharing        layers that two tasks have in common
flow           which tasks' models others descend from
paths, growth  which layers a model had, and the network at any moment
settings       hyperparameters and learned mutation probabilities
learning       accuracy over validations, along each lineage
costs          where time, FLOPs and parameters went, why children were rejected, Figure 3
summary        leaderboard, totals, what a run changed
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
