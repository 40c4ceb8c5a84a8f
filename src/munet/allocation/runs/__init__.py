"""The experiments of arXiv 1910.04915 as runs.

perform.py     a run: its network, allocation and data
presets.py     the experiments' settings, from presets.toml
sealed.py      files with checksums
folder.py      a run's directory: configuration, measurements, checkpoints
evaluate.py    the separate evaluation of a run's checkpoints
summaries.py   scores, allocation, sizes and compute of a run
comparison.py  finished runs side by side
figures.py     pictures of an allocation; draw.py makes those of a run
"""
