"""Which method is better, at what size and cost: benchmarks, runs at equal budget, their results.

    spec.py       a method as one word, with what is changed about it
    budgets.py    what each task may cost, and how methods divide it
    grid.py       methods x seeds, and where their runs lie
    running.py    one run from its system to its result; outcome.py sums it up
    scheduler.py  several runs at a time; worker.py is the process of one, slots.py says on which device
    sequences.py  one system that grows through segments; growing.py performs them
    results/      finished runs: read, compared, drawn

The benchmarks themselves are in `munet.catalog`.
"""
