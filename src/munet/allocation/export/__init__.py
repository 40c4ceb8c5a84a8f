"""From a joint run to a system.

export.py  what was learned, as frozen layers and a path for each task
freeze.py  modules as a description of the network and the tensors of each task's path
write.py   the frozen allocation as a system: root, models, tasks
"""
