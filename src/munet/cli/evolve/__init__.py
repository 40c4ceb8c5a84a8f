"""The commands `munet evolve`, `munet resume` and `munet methods`.

command.py    evolve and methods
resume.py     resume: going on with an interrupted run from its record
agreement.py  before a run: what it will take, and whether that is wanted
methods.py    methods as a person reads them
observers.py  where events go: a live view, plain lines or JSON lines
state.py      the state of a running evolution, as events change it
remaining.py  the time that is left
passes.py     work that is done and left, in forward passes of the root
replay.py     the state of a run of another process, from its records
screen.py     the live view of that state
"""
