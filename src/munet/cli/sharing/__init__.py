"""The commands of a system that several people grow.

remote.py      remote add, list, remove: which other places a system exchanges with
exchange.py    clone, push, pull, fetch, merge: what one has retained reaches the others
agent.py       agent: pull, evolve, push, until stopped
new_names.py  TASK=NEWNAME, as `--as` is given
outcomes.py    what became of each task, as a person reads it
"""
