"""What `gradient_matching` is judged by: the gradient of the trained field, which it was given at samples alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import yaml

from pinnkit.language.calculus import differentiate, symbol
from pinnkit.language.evaluate import Program
from pinnkit.operators.derivatives import derivatives
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.error_norms import relative_l2
from pinnkit.runs.factory import assemble
from pinnkit.runs.validation import read_and_check
from pinnkit.sampling.settings import unit_points

POINTS = 1000


def gradient_error(folder: Path) -> float:
    """Relative L2 error of the first field's gradient against its closed form, at random points of the domain."""
    run = RunFolder(folder)
    words = yaml.safe_load(run.read_config())
    problem, settings = read_and_check({key: part for key, part in words.items() if key not in ("defaults", "hydra")})
    module, _ = assemble(problem, settings)
    module.load_state_dict(torch.load(run.last_checkpoint, map_location="cpu", weights_only=True)["state_dict"])
    points = problem.domain.sample(unit_points("uniform", POINTS, len(problem.coordinates), 1, "gradient"))
    wanted = [(0, (axis,)) for axis in range(len(problem.coordinates))]
    found = derivatives(module, torch.as_tensor(points).to(next(module.parameters())), wanted)
    exact = problem.exact[problem.fields[0].name]
    program = Program([differentiate(exact, name) for name in problem.coordinates])
    truth = program({symbol(name): points[:, axis] for axis, name in enumerate(problem.coordinates)})
    return relative_l2(torch.cat([found[key] for key in wanted], dim=1).detach().numpy(), np.stack(truth, axis=1))
