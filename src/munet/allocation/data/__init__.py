"""The data of joint runs: tasks as rows of shared base arrays, and the experiments of arXiv 1910.04915.

tasks.py        a task; `load` gives the tasks of an experiment by name
examples.py     inputs and targets; batches that need no history
transforms.py   what happens to a batch of images on its way to the network
sets.py         a whole image set from a folder or the hub; who is held out for validation
sources.py      the same images as source addresses, for the record of an exported task
archives.py     named arrays of one numpy archive
cifar100.py     CIFAR-100 with its super-classes; pickled.py reads its files without running them
drawings.py     Omniglot, alphabet by alphabet
resizing.py     whole arrays of images at another size
mnist4.py  omniglot20.py  clusters.py  synthetic.py     one experiment each
"""

from munet.allocation.data.tasks import EXPERIMENTS, Batches, Examples, TaskData, epoch_order, load, on_device, options

__all__ = ["EXPERIMENTS", "Batches", "Examples", "TaskData", "epoch_order", "load", "on_device", "options"]
