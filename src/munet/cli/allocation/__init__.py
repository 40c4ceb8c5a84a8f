"""The command group `munet allocation`.

train.py    allocation train; view.py is what it shows
settings.py options of a run, as settings
results.py  allocation evaluate, plot, table
export.py   allocation export
"""
