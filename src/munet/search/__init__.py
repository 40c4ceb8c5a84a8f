"""What to try next. Pure: no torch, no disk, only values and a random generator.

space.py          what a hyperparameter may be, and its neighbours
method.py         the settings of a method
loading.py        methods from presets, TOML files and overrides; other_names.py what others call them
variants.py       the preprocessing to start with, samples for each task
adaptive.py       what the method `adaptive` computes from evidence
probabilities.py  the mutation probability, constant or learned
lineage.py        which layer of a lineage a child's slot would get
mutations.py      from a parent to the plan of a child
parents.py        which model becomes a parent
scoring.py        score, acceptance, ties
"""

from munet.search.lineage import Ancestor
from munet.search.loading import load_method, preset_names
from munet.search.method import Method
from munet.search.mutations import (
    Mutation,
    Parent,
    Plan,
    SharedPreprocessing,
    sample_child,
    sample_preprocessing,
    seed_child,
)
from munet.search.parents import Candidate, sample_parent, seed_parent
from munet.search.scoring import accepted, best_of, references, score
from munet.search.variants import STARTS, starting_preprocessing, with_samples_per_task

__all__ = [
    "STARTS",
    "Ancestor",
    "Candidate",
    "Method",
    "Mutation",
    "Parent",
    "Plan",
    "SharedPreprocessing",
    "accepted",
    "best_of",
    "load_method",
    "preset_names",
    "references",
    "sample_child",
    "sample_parent",
    "sample_preprocessing",
    "score",
    "seed_child",
    "seed_parent",
    "starting_preprocessing",
    "with_samples_per_task",
]
