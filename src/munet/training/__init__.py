"""How a child learns: tensors in, tensors and metrics out. Knows nothing of evolution, tasks or the store."""

import lazy_loader

# Names load on first use: what only checks a precision never waits for torch. `__init__.pyi` lists them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
