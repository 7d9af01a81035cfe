"""Closed forms of the distances of all shapes, of combined solids and of the parts of their boundaries."""

import numpy as np
import pytest
import sympy

from pinnkit.domains.box import Box
from pinnkit.domains.combination import Combination
from pinnkit.domains.distances import coordinate
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.rim import rim
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.disk import Disk
from pinnkit.domains.shapes.polygon import Polygon

SQUARE = Box({"x": (-1.0, 1.0), "y": (-1.0, 1.0)})
CORNER = Box({"x": (0.0, 1.0), "y": (-1.0, 0.0)})
HOLE = Disk(("x", "y"), (-0.5, 0.5), 0.25)
PLATE = Combination("-", Combination("-", SQUARE, CORNER), HOLE)
DISKS = [Disk(("x", "y"), (middle, 0.0), 1.0) for middle in (-0.5, 0.5)]
ANGLES, REACHES = 0.3 + np.arange(6) * np.pi / 3, np.array([1, 0.4] * 3)
STAR = Polygon(("x", "y"), tuple(zip(REACHES * np.cos(ANGLES), REACHES * np.sin(ANGLES), strict=True)))
SPIRAL = Polygon(("x", "y"), ((0, 0), (4, 0), (4, 3), (1, 3), (1, 2), (3, 2), (3, 1), (0, 1)))
SOLIDS = {
    **{name: SHAPES[name](**SHAPES[name].example) for name in SHAPES if name != "mesh"},
    "plate": PLATE,
    "two disks": Combination("+", *DISKS),
    "lens": Combination("&", *DISKS),
    "star": STAR,
    "spiral": SPIRAL,
    "block without a pipe": Combination(
        "-",
        Box(dict.fromkeys("xyz", (-2.0, 2.0))),
        SHAPES["cylinder"](names=("x", "y", "z"), axis="z", center=(0, 0, 0), radius=1, height=2),
    ),
}


def evaluated(expression: sympy.Expr, shape: Shape, points: np.ndarray) -> np.ndarray:
    function = sympy.lambdify([coordinate(name) for name in shape.coordinates], expression, "numpy", cse=True)
    return np.broadcast_to(function(*points.T), len(points))


def drawn(shape: Shape, count: int) -> np.ndarray:
    return shape.draw(count, lambda most: np.random.default_rng(3).random((most, shape.dimension)))


def wide(shape: Shape) -> np.ndarray:
    unit = np.random.default_rng(4).random((2000, len(shape.coordinates)))
    return shape.lower + (1.4 * unit - 0.2) * (shape.upper - shape.lower)


@pytest.mark.parametrize("name", SOLIDS)
def test_that_of_a_solid_has_its_sign_and_slope_one_on_the_boundary(name):
    solid = SOLIDS[name]
    form, points = solid.distance_expression, wide(solid)
    np.testing.assert_array_equal(evaluated(form, solid, points) > 0, solid.contains(points))
    step = 1e-5 * (solid.upper - solid.lower).max()
    for part in solid.boundary(solid.coordinates):
        on = drawn(part, 60)
        clear = ~part.near_edge(on, np.full(on.shape[1], 2e-3))
        on, normals = on[clear], part.normals(on[clear])
        np.testing.assert_allclose(evaluated(form, solid, on), 0.0, atol=1e-12 * (1 + np.abs(on).max()))
        slope = (evaluated(form, solid, on - step * normals) - evaluated(form, solid, on + step * normals)) / (2 * step)
        np.testing.assert_allclose(slope, 1.0, rtol=2e-2)


@pytest.mark.parametrize("name", SOLIDS)
def test_that_of_a_part_of_the_boundary_is_zero_on_it_alone(name):
    solid = SOLIDS[name]
    inner, parts = drawn(solid, 500), solid.boundary(solid.coordinates)
    for number, part in enumerate(parts):
        form = part.distance_expression
        assert evaluated(form, solid, inner).min() > 0
        assert np.abs(evaluated(form, solid, drawn(part, 100))).max() < 1e-7
        for other in (*parts[:number], *parts[number + 1 :]):
            points = drawn(other, 100)
            apart = ~part.contains(points, 0.05)
            assert np.all(evaluated(form, solid, points)[apart] > 1e-6)


def test_that_of_an_inner_rim_is_zero_on_it_alone():
    inner = Disk(("x", "y"), (0.9, 0.5), 0.25)
    (arc,) = rim(inner, PLATE, ("x", "y"))
    assert arc.measure < 0.9 * inner.boundary(("x", "y"))[0].measure
    assert np.abs(evaluated(arc.distance_expression, PLATE, drawn(arc, 100))).max() < 1e-7
    points = drawn(PLATE, 1000)
    assert evaluated(arc.distance_expression, PLATE, points).min() > 0


def test_touching_solids_that_are_joined_have_none():
    halves = [Box({"x": ends, "y": (0.0, 1.0)}) for ends in ((-1.0, 0.0), (0.0, 1.0))]
    assert Combination("+", *halves).distance_expression is None
    assert Combination("-", SQUARE, Combination("+", *halves)).distance_expression is None


def test_polygons_with_many_corners_have_none():
    angles = np.arange(60) * 2 * np.pi / 60
    disk = Polygon(("x", "y"), tuple(zip(np.cos(angles).tolist(), np.sin(angles).tolist(), strict=True)))
    assert disk.distance_expression is None
    assert disk.boundary(("x", "y"))[0].distance_expression is None
    assert Combination("-", SQUARE, disk).distance_expression is None
