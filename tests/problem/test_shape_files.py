"""Meshes and outlines in problem files: found like data files, read, and refused."""

import numpy as np
import pytest

from pinnkit.domains.triangle_mesh import icosphere
from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol
from tests.domains.test_mesh_file import CUBE, SIDES, obj

CUBIC = {"x": [-1, 1], "y": [-1, 1], "z": [-1, 1]}


def config(folder, **changes):
    return {
        "coordinates": CUBIC,
        "shapes": {"part": {"mesh": "part.obj"}},
        "domain": "part",
        "fields": ["u"],
        "equations": "laplacian(u) = 6",
        "conditions": {"rim": {"at": "part", "equations": "u = x^2 + y^2 + z^2"}},
        "exact": {"u": "x^2 + y^2 + z^2"},
        "folder": folder,
    } | changes


def mistakes(folder, **changes):
    with pytest.raises(ProblemError) as caught:
        Problem(**config(folder, **changes))
    return {mistake.key: mistake.message for mistake in caught.value.mistakes}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "part.obj").write_bytes(obj(*icosphere(2, (0.1, 0, 0), 0.8)))
    return tmp_path


def test_a_mesh_through_time(folder):
    words = {
        "coordinates": {"t": [0, 1], **CUBIC},
        "equations": "u_t = laplacian(u)",
        "conditions": {"rim": {"at": "boundary", "equations": "u = 6*t + x^2 + y^2 + z^2"},
                       "start": {"at": "t = 0", "equations": "u = x^2 + y^2 + z^2"}},
        "exact": {"u": "6*t + x^2 + y^2 + z^2"},
    }  # fmt: skip
    problem = Problem(**config(folder, **words))
    assert not check(problem).mistakes
    points = equation_points(problem, Sobol(equations=512), 0, 0).coordinates
    assert np.linalg.norm(points[:, 1:] - [0.1, 0, 0], axis=1).max() < 0.8
    rim = condition_points(problem, problem.conditions[0], Sobol(conditions=256), 0, 0)
    assert np.all(rim.normals[:, 0] == 0)
    outward = (rim.coordinates[:, 1:] - [0.1, 0, 0]) / 0.8
    np.testing.assert_allclose(rim.normals[:, 1:], outward, atol=0.2)
    assert Problem(**config(folder, **words)).domain == problem.domain


def test_a_mesh_is_cut_out_of_the_box(folder):
    (folder / "part.obj").write_bytes(obj(CUBE - 0.5, SIDES))
    rim = {"rim": {"at": "part", "equations": "u_n = 1"}}
    problem = Problem(**config(folder, domain="box - part", conditions=rim, exact={}))
    assert problem.domain.measure == pytest.approx(7, rel=0.002)
    points = condition_points(problem, problem.conditions[0], Sobol(conditions=64), 0, 0)
    np.testing.assert_allclose(np.abs(points.coordinates).max(axis=1), 0.5, rtol=1e-12)
    assert np.all(np.sum(points.coordinates * points.normals, axis=1) < 0)  # out of the domain, into the cube


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"shapes": {"part": {"mesh": "none.stl"}}}, "shapes.part.mesh", "there is no file"),
        ({"shapes": {"part": {"mesh": 3}}}, "shapes.part.mesh", "3 is no name of a file: write that of an .stl"),
        ({"shapes": {"part": {"mesh": "../part.obj"}}, "outside_files": False}, "shapes.part.mesh", "lies outside"),
        ({"coordinates": {"x": [0, 1], "y": [0, 1]}}, "shapes.part.mesh", "a mesh lies in three space coordinates"),
        ({"coordinates": CUBIC | {"z": [0, 1]}}, "domain", "reaches from z = -0.8 to 0.8, beyond the range [0, 1]"),
        ({"shapes": {"part": {"outline": "a.csv"}}}, "shapes.part.outline", "a plane of two space coordinates; here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes, key, message, folder):
    found = mistakes(folder, **changes)
    assert message in found[key]


def test_a_hard_condition_on_a_mesh_is_refused(folder):
    hard = {"rim": {"at": "part", "equations": "u = x^2 + y^2 + z^2", "hard": True}}
    (mistake,) = check(Problem(**config(folder, conditions=hard))).mistakes
    assert mistake.key == "conditions.rim.hard"
    assert mistake.message.startswith("there is no closed distance to (x, y, z) on the mesh part.obj")


WING = {
    "coordinates": {"x": [-1, 2], "y": [-1, 2]},
    "shapes": {"wing": {"outline": "wing.csv"}},
    "domain": "wing",
    "equations": "laplacian(u) = 0",
    "conditions": {"rim": {"at": "wing", "equations": "u = x"}},
    "exact": {"u": "x"},
}


@pytest.mark.parametrize("rows", ["0,0,7\n1,0,7\n0,2,7\n", "0,0,7\n1,0,7\n0,2,7\n0,0,7\n"], ids=["open", "closed"])
def test_an_outline_is_a_polygon_through_the_points_of_a_file(rows, tmp_path):
    (tmp_path / "wing.csv").write_text(f"x,y,label\n{rows}")
    problem = Problem(**config(tmp_path, **WING))
    assert not check(problem).mistakes
    assert problem.domain.measure == pytest.approx(1, rel=1e-12)
    length = sum(place.measure for place in problem.conditions[0].places)
    assert length == pytest.approx(3 + np.sqrt(5), rel=1e-12)
    written = {"wing": {"polygon": [[0, 0], [1, 0], [0, 2]]}}
    assert problem.domain == Problem(**config(tmp_path, **WING | {"shapes": written})).domain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,z\n0,0\n1,0\n0,2\n", "'wing.csv' has no column y; columns are x, z"),
        ("x,y\n0,0\n1,0\n", "has 2 corners: 3 to 2000 are needed"),
        ("x,y\n0,0\n1,1\n1,0\n0,1\n", "cross or touch at (0.5, 0.5)"),
        ("x,y\n" + "0,0\n" * 300_000, "has more than 1e+06 bytes, which is the most"),
        ("x,y\n0,0\n1,1\n1,a\n", "row 3, column y: 'a' is not a number"),
    ],
)
def test_a_wrong_outline_is_refused(text, message, tmp_path):
    (tmp_path / "wing.csv").write_text(text)
    assert message in mistakes(tmp_path, **WING)["shapes.wing.outline"]
