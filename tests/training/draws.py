"""Runs that keep the points of each call of training_step."""

import math

from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.sampling.points import EQUATIONS
from pinnkit.training.module import PINN


def trained_points(heat_words, quick, tmp_path, monkeypatch, resume=False, **sampling):
    """The points of the equations in each call of training_step, and the draws that they belong to."""
    seen = []
    original = PINN.training_step

    def watched(self, block, batch_idx):
        seen.append((block.draw, block.batches[EQUATIONS].coordinates.clone()))
        return original(self, block, batch_idx)

    settings = {**quick, "sampling": {**quick["sampling"], **sampling}}
    with monkeypatch.context() as patch:
        patch.setattr(PINN, "training_step", watched)
        patch.setattr("pinnkit.training.divergence.RISE", math.inf)  # few points are fitted, and others follow
        solution = solve(Problem(**heat_words), tmp_path, settings, resume=resume)
    return seen, solution
