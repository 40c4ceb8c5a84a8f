"""What is added to the loss of a task: penalties on the probabilities of its connections."""

from torch import Tensor, zeros

from munet.allocation.routing import penalties
from munet.allocation.routing.allocations import Allocation
from munet.allocation.training.settings import Settings


class Objective:
    """The penalties of `settings` on the rows of an allocation.

    A fixed allocation has probabilities of 0 and 1, so its penalties are constants that train nothing, and entropy 0.

    costs   of each component of each routed pool, in the unit of the budget; None where components count alike
    steps   updates of the whole run
    """

    def __init__(
        self, allocation: Allocation, settings: Settings, steps: int, costs: list[list[float]] | None = None
    ) -> None:
        self.allocation, self.settings, self.steps, self.costs = allocation, settings, steps, costs

    def penalty(self, task: int, step: int) -> Tensor:
        """Scalar to be added to the mean loss of a batch of `task`."""
        allocation, settings = self.allocation, self.settings
        parts = []
        if settings.budget_penalty:
            parts.append(
                penalties.budget(
                    allocation, task, settings.budget, settings.budget_penalty, settings.budget_unit, self.costs
                )
            )
        if settings.entropy_penalty:
            alpha = settings.entropy_penalty_alpha
            parts.append(penalties.entropy(allocation, task, settings.entropy_penalty, step, self.steps, alpha))
        if settings.disconnect_penalty:
            parts.append(penalties.disconnect(allocation, task, settings.disconnect_penalty))
        if settings.connection_penalty:
            parts.append(penalties.connection(allocation, task, settings.connection_penalty))
        return sum(parts, zeros(()))
