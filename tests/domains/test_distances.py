"""Closed forms of distances: zero on the boundary, positive inside, slope 1 along the inward normal."""

import numpy as np
import pytest
import sympy

from pinnkit.domains.box import Box
from pinnkit.domains.distances import coordinate, trimmed, union
from pinnkit.domains.product import Product
from pinnkit.domains.shapes.disk import Disk

DISK = Disk(("x", "y"), (0.5, -2.0), 3.0)
PLATE = Box({"x": (-1.0, 2.0), "y": (0.0, 0.5)})
SOLIDS = [DISK, PLATE, Product((DISK, Box({"z": (0.0, 1.5)})), ("x", "y", "z"))]


def evaluated(expression, names, points):
    function = sympy.lambdify([coordinate(name) for name in names], expression, "numpy")
    return np.broadcast_to(function(*points.T), len(points))


def drawn(shape, count=500):
    return shape.draw(count, lambda most: np.random.default_rng(3).random((most, shape.dimension)))


@pytest.mark.parametrize("solid", SOLIDS, ids=["disk", "box", "cylinder"])
def test_the_distance_of_a_solid_is_zero_on_its_boundary_and_positive_inside(solid):
    names, distance = solid.coordinates, solid.distance_expression
    inner = drawn(solid)
    assert np.all(evaluated(distance, names, inner) > 0)
    slopes = [sympy.diff(distance, coordinate(name)) for name in names]
    for part in solid.boundary(names):
        points = drawn(part)
        assert np.abs(evaluated(distance, names, points)).max() < 1e-14 * 3
        found = np.stack([evaluated(slope, names, points) for slope in slopes], axis=1)
        assert found == pytest.approx(-part.normals(points), abs=1e-6)
        own = part.distance_expression
        assert np.abs(evaluated(own, names, points)).max() < 1e-14 * 3
        assert np.all(evaluated(own, names, inner) > 0)
    beyond = solid.lower - 0.2 * (solid.upper - solid.lower)
    assert evaluated(distance, names, beyond[None])[0] < 0


def test_what_has_no_closed_form_has_none():
    assert PLATE.at(x=0.5).distance_expression is None


def test_a_union_is_zero_on_the_outer_boundary_alone():
    left, right = Box({"x": (-1.0, 0.2), "y": (0.0, 1.0)}), Box({"x": (-0.2, 1.0), "y": (0.0, 1.0)})
    whole = union(left.distance_expression, right.distance_expression)
    edge, inner = np.array([[-1.0, 0.5], [1.0, 0.3], [0.1, 1.0]]), np.array([[0.2, 0.5], [-0.2, 0.9], [0.0, 0.5]])
    assert np.abs(evaluated(whole, ("x", "y"), edge)).max() < 1e-15
    assert evaluated(whole, ("x", "y"), inner).min() > 0.05


def test_a_trimmed_distance_is_zero_on_the_kept_part_alone():
    x, y = coordinate("x"), coordinate("y")
    distance = trimmed(y, x * (1 - x))  # the piece 0 <= x <= 1 of the line y = 0
    on, off = np.array([[0.0, 0.0], [0.3, 0.0], [1.0, 0.0]]), np.array([[-0.2, 0.0], [1.2, 0.0], [0.5, 0.1]])
    assert np.abs(evaluated(distance, ("x", "y"), on)).max() == 0
    assert evaluated(distance, ("x", "y"), off).min() > 0.05
    near = np.array([[0.4, 1e-4], [0.4, -1e-4]])
    assert evaluated(distance, ("x", "y"), near) == pytest.approx([1e-4, 1e-4], rel=1e-3)
