"""Quadrature rules of shapes against closed forms."""

import numpy as np
import pytest

from pinnkit.domains.box import Box
from pinnkit.domains.combination import Combination
from pinnkit.domains.product import Product
from pinnkit.domains.quadrature import gauss_legendre, plane
from pinnkit.domains.shapes.ball import Ball
from pinnkit.domains.shapes.disk import Disk
from pinnkit.domains.shapes.ellipse import Ellipse
from pinnkit.domains.shapes.polygon import Polygon

SEGMENT = Box({"x": (-1.0, 1.0)})
DISK = Disk(("x", "y"), (0.3, 0.1), 0.5)
TRIANGLE = Polygon(("x", "y"), ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
ELLIPSE = Ellipse(("x", "y"), (0.0, 0.0), (2.0, 1.0))


def integral(shape, order, function=lambda p: np.ones(len(p))):
    points, weights = shape.quadrature(order)
    assert points.shape == (len(weights), len(shape.coordinates))
    assert shape.contains(points, 1e-9).all()
    return float(weights @ function(points))


def test_gauss_and_legendre_is_exact_to_degree_2_n_minus_1():
    nodes, weights = gauss_legendre(4)
    for degree in range(8):
        assert weights @ nodes**degree == pytest.approx(1 / (degree + 1), rel=1e-14)
    assert abs(weights @ nodes**8 - 1 / 9) > 1e-6


def test_boxes_have_products_of_rules():
    box = Box({"x": (0.0, 2.0), "t": (1.0, 1.0), "y": (-1.0, 1.0)})
    assert integral(box, 3, lambda p: p[:, 0] ** 3 * p[:, 2] ** 2 * p[:, 1]) == pytest.approx(4 * 2 / 3, rel=1e-14)
    assert integral(box.face("y", 1.0), 3, lambda p: p[:, 2] * p[:, 0]) == pytest.approx(2, rel=1e-14)


def test_disks_have_polar_rules_and_circles_even_angles():
    product = Product((DISK, Box({"t": (0.0, 2.0)})), ("x", "t", "y"))
    assert integral(DISK, 6, lambda p: (p[:, 0] - 0.3) ** 2) == pytest.approx(np.pi * 0.5**4 / 4, rel=1e-14)
    assert integral(product, 5, lambda p: p[:, 1] * p[:, 0]) == pytest.approx(2 * 0.3 * np.pi / 4, rel=1e-14)
    (rim,) = DISK.boundary(("x", "y"))
    assert integral(rim, 4, lambda p: p[:, 0] ** 2) == pytest.approx(np.pi * (0.3**2 + 0.5**2 / 2), rel=1e-14)


def test_other_plane_shapes_are_cut_into_lines():
    assert integral(TRIANGLE, 8, lambda p: p[:, 0] * p[:, 1]) == pytest.approx(1 / 24, rel=1e-12)
    assert integral(ELLIPSE, 10, lambda p: p[:, 0] ** 2) == pytest.approx(2 * np.pi, rel=1e-7)
    points, weights = plane(lambda p: ~np.all(p > 0, axis=1), -np.ones(2), np.ones(2), 6)  # an L
    assert weights.sum() == pytest.approx(3, rel=1e-12)
    assert weights @ (points[:, 0] * points[:, 1]) == pytest.approx(-1 / 4, rel=1e-8)


def test_rims_are_cut_at_their_corners():
    parts = TRIANGLE.boundary(("x", "y"))
    assert sum(integral(one, 4) for one in parts) == pytest.approx(2 + np.sqrt(2), rel=1e-13)
    normal = sum(
        one.quadrature(4)[1] @ np.sum(one.normals(one.quadrature(4)[0]) * one.quadrature(4)[0], 1) for one in parts
    )
    assert normal == pytest.approx(1, rel=1e-13)  # twice the area
    (rim,) = ELLIPSE.boundary(("x", "y"))
    assert integral(rim, 40) == pytest.approx(9.688448220547676, rel=1e-9)


def test_balls_and_ellipses_have_gauss_rules_and_even_angles():
    """Of x^2 + y^2 + z^2 in the ball and on its sphere, and of x^2 in and on an ellipse of half axes 2 and 1."""
    ball = Ball(("x", "y", "z"), (0.0, 0.0, 0.0), 1.0)
    (sphere,) = ball.boundary(ball.names)
    for shape, exact in ((ball, 4 * np.pi / 5), (sphere, 4 * np.pi)):
        assert integral(shape, 5, lambda p: np.sum(p**2, axis=1)) == pytest.approx(exact, rel=1e-13)
        assert integral(shape, 5, lambda p: p[:, 0] ** 2) == pytest.approx(exact / 3, rel=1e-13)
    assert integral(ELLIPSE, 5, lambda p: p[:, 0] ** 2) == pytest.approx(2 * np.pi, rel=1e-13)
    (rim,) = ELLIPSE.boundary(ELLIPSE.names)
    assert integral(rim, 12) == pytest.approx(9.688448220547676, rel=1e-13)


def test_polygons_have_gauss_rules_in_trapezoids():
    """Of x^2 y over the triangle with the corners (0, 0), (1, 0), (0, 1), turned into a notch of a square."""
    assert integral(TRIANGLE, 3, lambda p: p[:, 0] ** 2 * p[:, 1]) == pytest.approx(1 / 60, rel=1e-13)
    notched = Polygon(("x", "y"), ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0)))
    assert integral(notched, 3, lambda p: p[:, 0] ** 2 * p[:, 1]) == pytest.approx(1 / 6 - 1 / 60, rel=1e-13)


def test_other_solids_have_quasi_random_points():
    ball = Ball(("x", "y", "z", "w"), (0.0, 0.0, 0.0, 0.0), 1.0)
    assert integral(ball, 5, lambda p: np.sum(p**2, axis=1)) == pytest.approx(np.pi**2 / 3, rel=1e-3)


@pytest.mark.parametrize(
    ("solid", "exact"),
    [
        (Combination("-", SEGMENT, Box({"x": (-1.0, 0.0)})), (0.5, 1 / 3)),
        (Combination("-", SEGMENT, Box({"x": (-0.5, 0.25)})), (3 / 32, 119 / 192)),
        (Combination("+", Box({"x": (-1.0, -0.5)}), Box({"x": (0.1, 0.2)})), (-0.36, 0.294)),
    ],
)
def test_solids_in_one_coordinate_have_gauss_rules_on_each_interval(solid, exact):
    """Of x and of x^2."""
    assert integral(solid, 5, lambda p: p[:, 0]) == pytest.approx(exact[0], rel=1e-10)
    assert integral(solid, 5, lambda p: p[:, 0] ** 2) == pytest.approx(exact[1], rel=1e-10)
    assert solid.contains(solid.quadrature(5)[0]).all()
