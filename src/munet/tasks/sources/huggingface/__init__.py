"""`hf:NAME[:CONFIG]` or `hf:PATH`: what the `datasets` library reads.

    source.py    the source, and its options
    loading.py   opening a data set; every way in which that fails as one line
    splitting.py a column that says which split each row is of
    images.py    what a column of images holds: files, bytes, arrays, text; what it must not hold

Dataset scripts are code, and are never run.
"""
