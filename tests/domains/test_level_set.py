"""Level sets against closed forms in one to four dimensions."""

import numpy as np
import pytest
import sympy

from pinnkit.domains.shape import ShapeError
from pinnkit.domains.shapes.level_set import LevelSet
from pinnkit.problem.level_sets import read_level_set
from pinnkit.sampling.settings import unit_points

SQUARE = {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}
CUBE = {**SQUARE, "z": (-1.0, 1.0)}


def level_set(text, ranges=SQUARE) -> LevelSet:
    return read_level_set(text, ranges, (), {}, tuple(ranges))


def drawn(shape, count=4096):
    return shape.draw(count, lambda more: unit_points("sobol", more, shape.dimension, 0, "level"))


@pytest.fixture(scope="module")
def ball():
    return level_set("x^2 + y^2 + z^2 - 0.25", CUBE)


@pytest.fixture(scope="module")
def disk():
    return level_set("x^2 + y^2 - 0.25")


def chi_square(counts, expected):
    """Of counts in cells, each expected to have 16 at least; per cell."""
    kept = expected >= 16
    return np.sum((counts[kept] - expected[kept]) ** 2 / expected[kept]) / kept.sum()


def test_a_circle_has_its_measures_normals_and_distances(disk):
    (rim,) = disk.boundary(("x", "y"))
    assert disk.measure == pytest.approx(np.pi / 4, rel=1e-9)
    assert rim.measure == pytest.approx(np.pi, rel=1e-9)
    points = drawn(rim)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.5, rtol=1e-14)
    np.testing.assert_allclose(rim.normals(points), 2 * points, atol=1e-12)
    np.testing.assert_allclose(disk.distance(points), 0, atol=1e-15)
    inside = drawn(disk)
    np.testing.assert_allclose(disk.distance(inside), 0.5 - np.linalg.norm(inside, axis=1), atol=1e-4)
    near = points * np.linspace(0.9, 1.1, len(points))[:, None]
    np.testing.assert_allclose(disk.distance(near), 0.5 - np.linalg.norm(near, axis=1), atol=1e-12)
    np.testing.assert_allclose(rim.project(near), points, atol=1e-8)


def test_points_of_a_circle_are_uniform(disk):
    """By arc length on the rim, and by area within."""
    angle = np.arctan2(*drawn(disk.boundary(("x", "y"))[0]).T)
    counts = np.histogram(angle, 128, (-np.pi, np.pi))[0]
    assert chi_square(counts, np.full(128, 32.0)) < 0.5
    inside = drawn(disk)
    cells = np.stack([np.sum(inside**2, axis=1) * 4, np.arctan2(*inside.T) / (2 * np.pi) + 0.5], axis=1)
    counts = np.histogramdd(cells, (8, 16), ((0, 1), (0, 1)))[0]
    assert chi_square(counts, np.full((8, 16), 32.0)) < 1.2


def test_integrals_over_a_disk_and_its_rim(disk):
    """Of x^2: pi R^4 / 4 and pi R^3; of exp(x) along the rim: 2 pi R I_0(R)."""
    points, weights = disk.quadrature(8)
    assert weights @ points[:, 0] ** 2 == pytest.approx(np.pi / 64, rel=1e-6)
    points, weights = disk.boundary(("x", "y"))[0].quadrature(16)
    assert len(points) < 100
    assert weights @ points[:, 0] ** 2 == pytest.approx(np.pi / 8, rel=1e-7)
    assert weights @ np.exp(points[:, 0]) == pytest.approx(np.pi * np.i0(0.5), rel=1e-7)


def test_a_sphere_has_its_measures_normals_and_distances(ball):
    (surface,) = ball.boundary(("x", "y", "z"))
    assert ball.measure == pytest.approx(np.pi / 6, rel=1e-6)
    assert surface.measure == pytest.approx(np.pi, rel=1e-6)
    points = drawn(surface)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.5, rtol=1e-14)
    np.testing.assert_allclose(surface.normals(points), 2 * points, atol=1e-12)
    cells = np.stack([points[:, 2] + 0.5, np.arctan2(points[:, 0], points[:, 1]) / (2 * np.pi) + 0.5], axis=1)
    counts = np.histogramdd(cells, (8, 16), ((0, 1), (0, 1)))[0]
    assert chi_square(counts, np.full((8, 16), 32.0)) < 1.2
    moments = np.mean(points**2, axis=0)
    np.testing.assert_allclose(moments, 1 / 12, rtol=0.01)
    np.testing.assert_allclose(np.mean(drawn(ball) ** 2, axis=0), 0.05, rtol=0.01)


def test_an_interval_has_its_ends():
    one = level_set("x^2 - 0.25", {"x": (-1.0, 1.0)})
    assert (one.measure, one.bounds) == (1.0, {"x": (-0.5, 0.5)})
    left, right = one.boundary(("x",))
    assert (left.fixed, left.normal) == ({"x": -0.5}, {"x": -1.0})
    assert (right.fixed, right.normal) == ({"x": 0.5}, {"x": 1.0})
    np.testing.assert_allclose(one.distance(np.array([[0.3], [0.5], [-0.75]])), [0.2, 0, -0.25], atol=1e-15)
    two = level_set("0.25 - x^2", {"x": (-1.0, 1.0)})
    assert two.measure == pytest.approx(1.0, rel=1e-14)
    assert two.cut


@pytest.mark.parametrize(
    ("text", "ranges", "measure", "length", "normal"),
    [
        ("x", SQUARE, 2.0, 2.0, (1, 0)),
        ("-x", SQUARE, 2.0, 2.0, (-1, 0)),
        ("x - 1", SQUARE, 4.0, 2.0, (1, 0)),
        ("x + y - 0.3", SQUARE, 2 + 2 * 0.3 - 0.3**2 / 2, np.sqrt(2) * 1.7, (np.sqrt(0.5), np.sqrt(0.5))),
        ("z - x", CUBE, 4.0, 4 * np.sqrt(2), (-np.sqrt(0.5), 0, np.sqrt(0.5))),
        ("y - 0.1", CUBE, 4.4, 4.0, (0, 1, 0)),
    ],
)
def test_half_spaces_are_exact(text, ranges, measure, length, normal):
    half = level_set(text, ranges)
    (plane,) = half.boundary(tuple(ranges))
    assert half.cut
    assert half.measure == pytest.approx(measure, rel=1e-12)
    assert plane.measure == pytest.approx(length, rel=1e-12)
    points = drawn(plane)
    np.testing.assert_allclose(half.function.value(points), 0, atol=3e-16)
    np.testing.assert_allclose(plane.normals(points), np.tile(normal, (len(points), 1)), atol=1e-15)
    around = half.box.sample(unit_points("sobol", 256, len(ranges), 0, "a"))
    offset = half.function.value(around) / np.linalg.norm(half.function.gradient(around), axis=1)
    np.testing.assert_allclose(half.distance(around), -offset, atol=1e-14)
    np.testing.assert_array_equal(half.contains(around), half.function.value(around) <= 0)
    assert half.box.contains(points).all()
    np.testing.assert_allclose(np.ptp(points, axis=0)[np.abs(normal) < 1e-9], 2.0, atol=0.01)  # up to the box


def test_small_shapes_and_several_of_them_are_found():
    small = level_set("x^2 + y^2 - 0.0001", {"x": (-1.0, 1.0), "y": (-1.0, 1.0)})
    assert small.measure == pytest.approx(np.pi * 1e-4, rel=1e-6)
    several = level_set("0.3 - sin(2*pi*x)*sin(2*pi*y)")
    assert several.cut is False
    (rim,) = several.boundary(("x", "y"))
    points = drawn(rim)
    nodes, weights = rim.quadrature(64)
    flux = np.sum(weights * np.sum(nodes * rim.normals(nodes), axis=1))
    assert several.measure == pytest.approx(flux / 2, rel=1e-6)
    assert np.linalg.norm(weights @ rim.normals(nodes)) < 1e-9
    shares = [np.mean((points[:, 0] > 0) == one) for one in (True, False)]
    np.testing.assert_allclose(shares, 0.5, atol=0.01)
    gaps = np.linalg.norm(np.diff(rim.sample(np.linspace(0.001, 0.1, 200)[:, None]), axis=0), axis=1)
    np.testing.assert_allclose(gaps, rim.measure * 0.099 / 199, rtol=2e-3)  # by arc length, but for the chord of a gap
    assert several.contains(points - 1e-9 * rim.normals(points)).all()
    assert not several.contains(points + 1e-9 * rim.normals(points)).any()


def test_rounding_of_the_expression_is_allowed_for():
    """Of numbers a thousand times larger than their difference."""
    disk = level_set("sqrt(x^2 + y^2 + 1e4) - sqrt(1e4 + 0.25)")
    (rim,) = disk.boundary(("x", "y"))
    points = drawn(rim)
    assert len(points) == 4096
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.5, rtol=1e-10)
    assert rim.contains(points).all()
    assert disk.contains(points).all()


def test_corners_written_with_abs_and_max():
    diamond = level_set("abs(x) + abs(y) - 0.5")
    assert diamond.measure == pytest.approx(0.5, rel=1e-12)
    assert diamond.boundary(("x", "y"))[0].measure == pytest.approx(2 * np.sqrt(2), rel=1e-12)
    square = level_set("max(abs(x), abs(y)) - 0.5")
    assert square.measure == pytest.approx(1.0, rel=1e-3)


def test_more_than_three_dimensions_have_an_interior_alone():
    ball = level_set("w^2 + x^2 + y^2 + z^2 - 0.25", {"w": (-1.0, 1.0), **CUBE})
    assert ball.measure == pytest.approx(np.pi**2 / 32, rel=0.02)
    assert ball.boundary(("w", "x", "y", "z")) == ()
    points = drawn(ball, 1000)
    assert np.sum(points**2, axis=1).max() < 0.25
    sphere = 0.5 * points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(ball.distance(1.001 * sphere), -0.0005, rtol=1e-3)


def test_a_distance_as_an_expression_is_one_to_first_order():
    blob = level_set("x^2 + y^4 - 0.04")
    found = sympy.lambdify(sympy.symbols("x y", real=True), blob.distance_expression)
    (rim,) = blob.boundary(("x", "y"))
    points = drawn(rim, 512)
    np.testing.assert_allclose(found(*points.T), 0, atol=1e-15)
    for depth in (1e-3, -1e-3):
        moved = points - depth * rim.normals(points)
        np.testing.assert_allclose(found(*moved.T), depth, rtol=0.05)
    assert found(*drawn(blob).T).min() > 0
    assert str(level_set("2*x").distance_expression) == "-x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x^2 + y^2 + 1", "is negative at none of 66049 points of the box; the least value is 1, at x = 0, y = 0"),
        ("x^2 + y^2 - 9", "is negative everywhere in the box, so that it has no boundary there"),
        ("log(x)", "is nan at x = -1, y = -1: a finite number is needed"),
        ("1/(x - 0.123)", "changes its sign near x = "),
        ("where(x < 0.1, -1, 1)", "changes its sign near x = 0.09"),
        ("sqrt(x^2 + y^2 + 1e12) - sqrt(1e12 + 0.25)", "or is a difference of numbers that are much larger"),
        ("x^2 - y^2", "its gradient vanishes at x = 0, y = 0, where it is zero"),
        ("y^2 - (x + 0.3)^3", "its gradient vanishes at x = -0.3, y = 0"),
        ("(x^2 + y^2)^2 - (x^2 - y^2)/2", "its gradient vanishes at x = 0, y = 0"),
        ("(x^2 + y^2 - 0.3)^3", "its gradient vanishes at x = "),
    ],
)
def test_what_bounds_no_shape_is_refused(text, message):
    with pytest.raises(ShapeError) as caught:
        level_set(text)
    assert message in str(caught.value).replace("-0,", "0,")
