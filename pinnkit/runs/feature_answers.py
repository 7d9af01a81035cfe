"""Polish and estimate of a module, by the solver of features."""

from __future__ import annotations

import math
import time
from functools import cached_property

from pinnkit.features.attached import choice_of
from pinnkit.features.error import Estimate, estimate
from pinnkit.features.parts import of_first_number
from pinnkit.features.polish import Polished, polish
from pinnkit.features.solver import Choice, FeatureSolver
from pinnkit.runs.feature_module import FeaturePINN
from pinnkit.settings import Settings
from pinnkit.training.feature_state import attach, features_of, network_of
from pinnkit.training.module import PINN

END_ALONE = "of slabs of time it is estimated at the end of their run alone"


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
    def unready(self) -> str:
        """Why the error cannot be estimated; "": it can."""
        if network_of(self.module.model).windows is not None:
            return "windows of time have a network each, and features correct one"
        if self._choice is not None:
            return ""
        expansions = network_of(self.module.model).added
        slabs = any(one.features.interval is not None for one, _ in expansions)
        if not self.module.solves:
            return END_ALONE if slabs else ""
        if self._solver is getattr(self.module, "solver", None):
            return "not all slabs of time are solved"
        if not expansions:
            return "nothing was solved"
        return END_ALONE if slabs else ""

    @cached_property
    def _solver(self) -> FeatureSolver:
        """What the processes of the run solve together."""
        module, settings = self.module, self.settings
        if isinstance(module, FeaturePINN) and module.solver is not None:
            module.solver.like = module.model.like  # which Lightning has moved from the device that solved
            return module.solver
        return FeatureSolver(
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

    def estimate(self, seconds: float = math.inf) -> Estimate:
        """The error of the present fields, which stay as they are.

        Args:
            seconds: that trials may take, where no features are known yet.
        """
        network = network_of(self.module.model)
        own = bool(len(network.expansions))
        if self._choice is None:
            self._choice = self._found(seconds)
        return estimate(self._solver, self._choice, own)

    def _found(self, seconds: float) -> Choice:
        """The features of a correction, by trials; of features alone, those of the answer, which stays as it is."""
        model, solver = self.module.model, self._solver
        network = network_of(model)
        learned = {name: one.detach().clone() for name, one in self.module.learned.items()}
        kept = features_of(model) or {"expansions": [], "learned": learned}
        if self.module.solves:
            choice = choice_of(network.added, len(self.module.problem.coordinates))
            network.remove(list(network.expansions))
            solver.measure()
        else:
            began = time.perf_counter()

            def left() -> float:
                return of_first_number(seconds - (time.perf_counter() - began), solver.ranks, solver.like)

            choice, _ = solver.search(left)  # which attaches what it has found
            network.remove(list(network.expansions))
        attach(model, kept)
        if choice.steep:
            solver.relocate()
        return choice
