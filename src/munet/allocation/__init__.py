"""Learned parameter allocation: tasks trained jointly, each choosing which components it uses (arXiv 1910.04915).

    pools.py        the components of a layer; network.py: layers, pools and a head for each task
    allocations.py  who uses which component: given, or learned; fallback.py: never nothing
    penalties.py    budget, entropy, connections; objective.py: what an update minimises
    same.py         convolution and pooling padded as TensorFlow's "same", seeded dropout
    models.py       the networks of the published experiments
    fused.py        the same network in fewer kernels: chains.py equal components, levels.py images of few values
    settings.py     how tasks are trained; optimisers.py, joint.py: rounds of updates; trainer.py: a whole run
    evaluation.py   scores; measures.py: similarity, parameters, operations; summaries.py: what a run comes to
    runs.py         the experiments as runs; presets.py and presets.toml: their settings
    checkpoints.py  the folder of a run; evaluating.py its separate evaluation, tabling.py, plotting.py, drawing.py
    data/           examples, tasks, and the image sets of the experiments
    exporting.py    from a run, or your own network, to a system: freezing.py and described.py modules as data,
                    writing.py layers, models and tasks
    architecture.py what such a system's models are; paths.py: one of them, computing

A README beside this file shows its use in twenty lines. The public names load on first use, so that importing the
package does not wait for torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
