"""A check that a run's fields and objective are finite numbers."""

from __future__ import annotations

import numpy as np
import torch

from pinnkit.runs.evaluation import Evaluation
from pinnkit.training.diagnostics import SHOWN
from pinnkit.training.exceptions import Diverged
from pinnkit.training.module import PINN


def check_finite(found: Evaluation, module: PINN) -> None:
    """A run whose fields or objective are not finite has not finished.

    Raises:
        Diverged: they are not.
    """
    step, flat = module.progress.step, {name: values.ravel() for name, values in found.grid.coordinates.items()}
    for name, values in found.fields.items():
        bad = np.flatnonzero(found.inside & ~np.isfinite(values))
        if len(bad):
            points = [{axis: float(part[index]) for axis, part in flat.items()} for index in bad[:SHOWN]]
            raise Diverged(step, name, points, values.ravel()[bad[:SHOWN]].tolist(), len(bad))
    if "objective" in module.losses_now and not bool(torch.isfinite(module.losses_now["objective"])):
        raise Diverged(step, "objective")
