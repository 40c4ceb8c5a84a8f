"""Tasks: where images come from, which of them are trained on, and how they get into memory.

    record.py     `add` makes the record of a task, `load` reads one of its splits
    adding.py     a new task put into a store, its images kept decoded
    many.py       many tasks named at once
    names.py      which names a task may have
    split_names.py  which split the name of a folder means
    twins.py      classes that are probably one, written in several ways
    splits.py     the grammar: train[5%:], train[:800], a+b
    planning.py   missing splits, overlaps
    duplicates.py the same image in two splits or classes; lookalikes.py nearly the same
    telling.py    what a person is told of a new task
    checks.py     too few classes or images, classes nobody trains on
    white.py      which value means white; images that come out dark
    sources/      folder:, csv:, npz:, hf:, tfds:
    cache/        decoded splits, in memory and on disk
    growth.py     a task that grew: its splits planned again
    comparing.py  what a source holds beside what was recorded
    dealing.py    which split a new image gets
    listing.py    what the images of a split are; the hash of it is the fingerprint
    changing.py   a recorded task moved, renamed, removed
    reopen.py     a split of a recorded task found again: missing, changed, what it holds
    trust.py      sources of received systems are opened only when asked for
    reading.py    decoding in threads, unusable images, fingerprints
    stack.py      images of a split as one array, in memory or elsewhere
    form.py       the size and channels that every image of a task is made, whoever asks
    image_files.py  which files are images
    images.py     one image file as uint8
    arrays.py     arrays of any number type as uint8

Importing this package imports neither numpy nor Pillow nor `datasets`: commands that only list tasks must be quick.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
