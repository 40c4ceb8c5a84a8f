"""Which method is better, at what size and cost: benchmarks, runs at equal budget, what came of them.

catalog, catalog_*   benchmarks: their tasks, where the images are had, what the papers report
spec                 a method as one word, with what is changed about it
budgets              what each task may cost, and how methods divide it
grid                 methods x seeds, and where their runs lie
running              one run from its system to its result; outcome sums it up
scheduler, worker    several runs at a time, each in a process; slots says on which device
sequences, growing   one system that grows through segments
results              finished runs, read again; statistics over seeds and tasks
tables, footnotes    the papers' tables as values; render and terminal write them
curves, plots        their figures; placing keeps labels apart
"""
