"""Which components each task uses, and what that costs.

allocations.py  fixed by hand, or learned by gradient
fallback.py     never an empty layer in evaluation
penalties.py    budget, entropy, connections
objective.py    the penalties that are added to a task's loss
"""
