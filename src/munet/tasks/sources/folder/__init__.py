"""`folder:DIR`: one sub-folder of image files per class, in split folders or not.

    source.py    the source, and its options
    layout.py    which folders are splits and which are classes
    annotated.py splits whose classes a table says
    doubts.py    layouts that are probably meant otherwise
    empty.py     folders without images: annotations of objects
    masks.py     masks among the images
    ways.py      the ways out that lines name
    pattern.py   the class in the names of the files

The order of the examples is that of the SHA-256 of `<class>/<path in the class folder>`, not sorted: sorted files are
sorted by class, and a slice of them such as `train[:5%]` would hold one class only.
"""
