"""Finished runs of experiments: read, compared, drawn.

read.py        runs from disk
statistics.py  spread over seeds, paired differences, crossings
tables.py      the papers' tables as values; footnotes.py what must be said with them
curves.py      what the plots show, as values
plots.py       the plots; placing.py keeps their labels apart
"""
