"""How a child learns: tensors in, tensors and metrics out. Knows nothing of evolution, tasks or the store.

recipe.py         how a child is trained, as a value
trainer.py        cycles of training and validation, for one network or for siblings together
child_state.py    one child in training: parameters, optimiser, best cycle
evaluation.py     accuracy; temperature.py how sure answers may be
preprocessing.py  from uint8 images to inputs; crop.py, color.py, affine.py and jpeg.py augment
images.py         a split as tensors on the device, and the order of training
trie.py           networks that begin alike, as a tree
inputs.py         activations below the trainable layers, computed once; features.py caches them
closed_form.py    heads by linear algebra instead of steps
multitask.py      one trunk trained on several tasks at once
optimiser.py      SGD with momentum and an exact global-norm clip
schedules.py      learning rates over steps
adamw.py          AdamW on one flat vector, with a rate for each layer
capture.py        a training step as one CUDA graph
memory.py         batches that do not fit the device, in parts
fixed_rows.py     networks on a fixed number of images at once, so that logits do not depend on the batch
devices.py        device and its memory; precision.py the number format of products
"""

import lazy_loader

# Names load on first use: what only checks a precision never waits for torch. `__init__.pyi` lists them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
