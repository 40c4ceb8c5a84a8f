"""`munet quickstart`: a system on real digits and rendered scripts, from nothing to a table and a picture.

data.py     the tasks' images
setup.py    what is grown, and at which budget
journal.py  what is done already: the same command goes on after an interruption
steps.py    growing, adding a task later, the proof that nothing was forgotten, baselines, the result
"""

from munet.quickstart.setup import Setup
from munet.quickstart.steps import run

__all__ = ["Setup", "run"]
