"""`wds:DIR`, `wds:FILE.tar` or `'wds:DIR/train-{0000..0009}.tar'`: WebDataset shards.

    samples.py   the source: an image and a label for each sample
    shards.py    which shards there are, and of which split each is
    index.py     where in a shard the files of its samples lie

The library webdataset reads shards as a stream. A split of a task is any slice in any order, and is read twice; so the
headers are read once, which takes no memory for the images, and then each image where it lies.
"""
