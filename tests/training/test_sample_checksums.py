"""Checksums of the files of a run."""

from pinnkit.problem.problem import Problem
from pinnkit.training.sample_checksums import sample_checksums


def test_an_expression_of_shapes_is_no_file_of_a_mesh():
    shapes = {"mesh_part": {"box": {"lower": [-1], "upper": [0]}}, "rest": "box - mesh_part"}
    config = {
        "coordinates": {"x": [-1, 1]},
        "shapes": shapes,
        "domain": "rest + mesh_part",
        "fields": ["u"],
        "equations": "u_xx = 0",
        "conditions": {"ends": {"at": "boundary", "equations": "u = 0"}},
    }
    assert sample_checksums(Problem(name="rod", **config), None) == {}
