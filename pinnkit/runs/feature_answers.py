"""Polish and estimate of a module, by the solver of features."""

from __future__ import annotations

import math
import time
from functools import cached_property

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
        self.module, self.settings = module, settings
        self._choice: Choice | None = None
        if isinstance(module, FeaturePINN):
            self._choice = getattr(module.solver, "choice", None)

    @property
    def ready(self) -> bool:
        """Whether the error can be estimated: of features that solve slab by slab, once all are solved."""
        return self._choice is not None or not self.module.solves

    @cached_property
    def _solver(self) -> FeatureSolver:
        """Of a trained network each process has one by itself: limits of time would part them."""
        module, settings = self.module, self.settings
        if isinstance(module, FeaturePINN) and module.solver is not None:
            module.solver.like = module.model.like  # which Lightning has moved from the device that solved
            return module.solver
        return FeatureSolver(module.model, module.groups, settings.features, settings.seed, None, module.model.like)

    def polish(self, seconds: float) -> Polished:
        """Add features to a trained network where they lower the residual on points that no solve has seen.

        Args:
            seconds: that this may take.
        """
        found = polish(self._solver, seconds)
        self._choice = found.choice
        return found

    def estimate(self, seconds: float = math.inf) -> Estimate:
        """The error of the present fields, which stay as they are.

        Args:
            seconds: that trials may take, where no features are known yet.
        """
        network = network_of(self.module.model)
        own = bool(len(network.expansions))
        if self._choice is None:
            learned = {name: one.detach().clone() for name, one in self.module.learned.items()}
            began = time.perf_counter()
            self._choice, _ = self._solver.search(
                lambda: seconds - (time.perf_counter() - began)
            )  # which attaches what it has found
            network.remove(list(network.expansions))
            attach(self.module.model, {"expansions": [], "learned": learned})
        return estimate(self._solver, self._choice, own)
