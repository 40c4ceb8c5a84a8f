"""What a model is, and its way from timm and back.

slots.py        the grammar of slot names
vit.py          what a plain vision transformer is, as a value
kinds.py        the kinds of network that models may be
staged.py       a module in stages, what every model is when it computes
network.py      a vision transformer as an nn.Module over stored tensors
block.py        a transformer block as one operation; block_math.py its forward and backward
transformer.py  the blocks of a vision transformer; modules.py what is around them, residual adapters
weight_init.py  new heads, adapters, position embeddings
validation.py   whether a stored model fits its architecture
loader.py       ModelLoader: a store's models as networks
cost.py         parameters, accounted parameters, FLOPs
from_timm.py    which timm models can be cut into slots; state_dict.py cuts and joins them
to_timm.py      a model as a file that plain timm loads
pools/          models of an exported allocation
"""
