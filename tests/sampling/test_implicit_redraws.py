"""Points redrawn by residual on level sets and meshes: they stay there, with the normals of where they came to."""

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.training.redraw import Density, points_by_residual
from tests.runs.ranks import PROBLEMS

BLOB = {
    "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
    "shapes": {"part": {"level_set": "x^2 + y^2 - 0.25"}},
    "domain": "part",
    "fields": ["u"],
    "equations": "u_t = laplacian(u)",
    "conditions": {"rim": {"at": "part", "equations": "u_n = 0"}},
}


@pytest.mark.parametrize("words", [BLOB, PROBLEMS["mesh"]], ids=["level set through time", "mesh"])
@pytest.mark.parametrize("group", ["equations", "rim"])
def test_redrawn_points_stay_in_their_place_and_gather_where_the_residual_is(words, group):
    problem = Problem(**words)
    condition = "" if group == "equations" else problem.conditions[0]
    place = condition.places[0] if condition else problem.domain
    if not condition:
        pool = equation_points(problem, Sobol(equations=1024), 0, 1)
    else:
        pool = condition_points(problem, condition, Sobol(conditions=1024), 0, 1)
    target = pool.coordinates[0]

    def score(points):
        return np.exp(-200 * np.sum((points.coordinates - target) ** 2, axis=1))

    found = points_by_residual(problem, condition, pool, None, 256, Density(1.0, 0.25, 0.0), (0, group, 1), score)
    again = points_by_residual(problem, condition, pool, None, 256, Density(1.0, 0.25, 0.0), (0, group, 1), score)
    np.testing.assert_array_equal(found.coordinates, again.coordinates)
    assert place.contains(found.coordinates).all()
    near = np.linalg.norm(found.coordinates - target, axis=1) < 0.3
    assert near.mean() > 0.7
    if condition:
        np.testing.assert_array_equal(found.normals, place.normals(found.coordinates))
        np.testing.assert_allclose(np.linalg.norm(found.normals, axis=1), 1, rtol=1e-12)
