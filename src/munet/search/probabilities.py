"""The mutation probability mu: one constant (muNet), one number per model (mu2Net), one per decision (mu2Net+).

A decision is named `hyperparameter:KEY`, `clone:SLOT`, `insert:adapter.K` or `remove:block`. The values that a model
learned travel in its `mutation_probabilities` and are inherited like any hyperparameter.
"""

from collections.abc import Mapping

import numpy as np

from munet.search.method import Method
from munet.search.space import neighbour

MU = "mu"
"""Entry of a model whose mutation probability is one hyperparameter (mu2Net)."""


class MutationProbabilities:
    """mu(decision | child) while one child is sampled.

    `table` starts as the parent's and ends as the child's. An entry appears when its decision is taken for the first
    time, so a table holds nothing about decisions that never came up.
    """

    def __init__(self, method: Method, inherited: Mapping[str, float], rng: np.random.Generator) -> None:
        self.method = method
        self.table = dict(inherited)
        self.rng = rng
        if method.mutation_probabilities == "hyperparameter":
            self.table.setdefault(MU, method.mutation_probability)

    def mutate_rate(self) -> None:
        """mu2Net: the child's own mu moves with the probability it had in the parent, before anything else is drawn.

        One draw, a second one for the direction where the first is below mu. Does nothing for the other kinds.
        """
        method = self.method
        if method.mutation_probabilities == "hyperparameter" and method.tune and self.rng.random() < self.table[MU]:
            self.table[MU] = neighbour(method.mutation_probability_values, self.table[MU], self.rng)

    def decides(self, decision: str) -> bool:
        """Whether the child takes `decision`: the last draw, after those that its probability itself needed."""
        probability = self._probability(decision)
        return bool(self.rng.random() < probability)

    def _probability(self, decision: str) -> float:
        method = self.method
        if method.mutation_probabilities == "fixed":
            return method.mutation_probability
        if method.mutation_probabilities == "hyperparameter":
            return self.table[MU]
        # mu2Net+ sec. 3: an entry moves like a hyperparameter, and only then is the decision drawn with it
        probability = self.table.get(decision, method.mutation_probability)
        if self.rng.random() < method.mutation_probability:
            probability = neighbour(method.mutation_probability_values, probability, self.rng)
        self.table[decision] = probability
        return probability
