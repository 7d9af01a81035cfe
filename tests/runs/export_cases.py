"""Problems of each kind that is exported, and the subjects that exporters are given."""

from __future__ import annotations

import numpy as np

from pinnkit.runs import evaluation
from pinnkit.runs.export_metadata import export_metadata
from pinnkit.runs.network_exporters import Subject
from tests.conftest import assembled
from tests.problem.two_materials import PLATE

SMALL = {"network": {"width": 6, "depth": 2}}
BOX = {
    "name": "box",
    "coordinates": {"x": [-1, 1], "t": [0, 2]},
    "fields": ["u", "v"],
    "parameters": {"a": 0.3},
    "define": {"b": "a/7"},
    "periodic": ["x"],
    "transform": {"v": "softplus"},
    "equations": {"heat": "u_t = a*u_xx", "other": "v_t = b*v"},
    "conditions": {"start": {"at": "t = 0", "equations": "u = b*sin(pi*x)", "hard": True}},
}
SPIRAL = {
    "name": "spiral",
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": {"h": "complex"},
    "equations": "i*h_t + h_xx = 0",
    "conditions": {"start": {"at": "t = 0", "equations": "h = exp(i*x/3)", "hard": True}},
}
FAMILY = {
    "name": "family",
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": {"u": ["x", "t", "alpha"], "f": ["u"]},
    "parameters": {"alpha": {"range": [0.01, 1], "log": True}},
    "equations": "u_t = alpha*u_xx + f",
    "conditions": {"start": {"at": "t = 0", "equations": "u = x*(1 - x)"}},
}
DISK = {
    "name": "disk",
    "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
    "shapes": {
        "part": {"disk": {"center": [0, 0], "radius": 0.8}},
        "hole": {"disk": {"center": [0.2, 0], "radius": 0.3}},
    },
    "domain": "part - hole",
    "fields": ["u"],
    "equations": "u_t = laplacian(u)",
    "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}},
}
CASES = {"box": BOX, "shape": {**PLATE, "name": "plate"}, "family": FAMILY, "complex": SPIRAL}


def subject(words, dtype="float64", grid=6, network="mlp"):
    """An untrained network with weights and biases at random, and its fields on a grid."""
    import torch

    module, _ = assembled(words, {"network": {**SMALL["network"], "name": network}, "dtype": dtype})
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one in module.network.parameters():
            one.copy_(torch.randn(one.shape, generator=generator, dtype=torch.float64).to(one) / max(1, one.ndim))
    metrics = {"status": "finished", "verdict": "solved", "relative_l2": {"u": 0.5}}
    found = evaluation.evaluate(module, None, grid)
    return Subject(module, found, None, export_metadata(module.problem, metrics, dtype), grid)


def places(problem, count=50):
    """Points of the domain by coordinate, other than those at which exports check themselves."""
    points = problem.domain.draw(
        count, lambda drawn: np.random.default_rng(7).random((drawn, problem.domain.dimension))
    )
    return {name: points[:, number] for number, name in enumerate(problem.coordinates)}
