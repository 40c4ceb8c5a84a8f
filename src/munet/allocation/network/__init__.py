"""Networks of pools.

network.py  layers, pools and a head for each task
models.py   the networks of the published experiments
fused.py    the same network in fewer kernels: chains.py equal components, levels.py images of few values
"""
