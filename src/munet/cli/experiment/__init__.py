"""The command group `munet experiment`.

run.py     experiment run; view.py is what it shows
tables.py  experiment table, experiment plot
shared.py  options that these have in common
"""
