"""Learned parameter allocation: tasks trained jointly, each choosing which components it uses (arXiv 1910.04915).

    network/   layers of pools with a head for each task, and faster forms of the same network
    routing/   who uses which component: fixed or learned; penalties on that
    data/      tasks of a joint run, and the image sets of the experiments
    training/  rounds of updates, optimisers, scores, a whole run
    runs/      the published experiments as runs: presets, folder, evaluation, pictures, comparison
    export/    from a run, or your own network, to a system of frozen layers

What a system stores of an exported allocation is in `munet.model.pools`. A README beside this file shows its use in
twenty lines. The public names load on first use, so that importing the package does not wait for torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
