"""Models of an exported allocation: paths through pools of components.

architecture.py  the network that all models of such a system are paths through, as a value
network.py       one of these models as an nn.Module
pool.py          Pool: the components of one layer
module_json.py   modules as JSON values, and back
same_padding.py  TensorFlow's "same" padding, dropout with a given generator
"""
