"""Joint training: in each round every task once.

settings.py    rates, penalties, how often tasks are measured
joint.py       rounds of updates
optimisers.py  two Adams, one for the network and one for the allocation
scores.py      how good a network is on each task
measures.py    similarity of tasks, parameters, operations
trainer.py     a whole run: rounds, evaluations, checkpoints, one test
"""
