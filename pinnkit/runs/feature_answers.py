"""Polish and estimate of a module, by the solver of features."""

from __future__ import annotations

from pinnkit.features.error import Estimate, estimate
from pinnkit.features.polish import Polished, polish
from pinnkit.features.solver import Choice, FeatureSolver
from pinnkit.runs.feature_module import FeaturePINN
from pinnkit.settings import Settings
from pinnkit.training.feature_state import attach, network_of
from pinnkit.training.module import PINN


class FeatureAnswers:
    """Corrects the fields of a module by features, and estimates their error.

    Args:
        settings: of the run.
    """

    def __init__(self, module: PINN, settings: Settings) -> None:
        self.module = module
        self._choice: Choice | None = None
        if isinstance(module, FeaturePINN) and module.solver is not None:
            self._solver, self._choice = module.solver, module.solver.choice
        else:
            self._solver = FeatureSolver(
                module.model, module.groups, settings.features, settings.seed, module.ranks, module.model.like
            )

    def polish(self, seconds: float) -> Polished:
        """Add features to a trained network where they lower the residual on points that no solve has seen.

        Args:
            seconds: that this may take.
        """
        found = polish(self._solver, seconds)
        self._choice = found.choice
        return found

    def estimate(self) -> Estimate:
        """The error of the present fields, which stay as they are."""
        network = network_of(self.module.model)
        own = bool(len(network.expansions))
        if self._choice is None:
            learned = {name: one.detach().clone() for name, one in self.module.learned.items()}
            self._choice, _ = self._solver.search()  # which attaches what it has found
            network.remove(list(network.expansions))
            attach(self.module.model, {"expansions": [], "learned": learned})
        return estimate(self._solver, self._choice, own)
