"""Record of a network's answers at a few points while it is trained."""

from __future__ import annotations

import numpy as np
import torch

from pinnkit.sampling.settings import unit_points
from pinnkit.training.module import PINN
from pinnkit.verdict.changes import Answer

POINTS = 512
"""Points of the domain at which the answers are kept."""
KEPT = 64
"""Answers that are kept at most."""
STREAM = "verdict.answers"


class Answers:
    """The fields of a network at points of the domain that stay the same; those before the last two become sparser.

    They are those of this process: a run that is resumed begins with none.
    """

    def __init__(self, module: PINN) -> None:
        self._module = module
        domain = module.problem.domain
        self._points = domain.draw(POINTS, lambda drawn: unit_points("sobol", drawn, domain.dimension, 0, STREAM))
        self.kept: list[Answer] = []

    def keep(self) -> None:
        """Keep the present answer."""
        like = self._module.model.like
        with torch.no_grad():
            values = self._module(torch.as_tensor(self._points).to(like)).double().cpu().numpy()
        fields = {field.name: values[:, index] for index, field in enumerate(self._module.problem.fields)}
        for field in self._module.problem.fields:
            if field.part:
                inside = self._module.problem.solid(field.part).contains(self._points)
                fields[field.name] = np.where(inside, fields[field.name], np.nan)
        self.kept.append((self._module.progress.step, fields))
        if len(self.kept) > KEPT:
            self.kept = [*self.kept[:-2:2], *self.kept[-2:]]
