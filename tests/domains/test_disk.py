"""Disks and circles against closed forms."""

import numpy as np
import pytest

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import ShapeError
from pinnkit.domains.shapes.disk import Circle, Disk
from pinnkit.sampling.settings import unit_points

CENTER, RADIUS = np.array([0.5, -2.0]), 3.0
DISK = Disk(("x", "y"), tuple(CENTER), RADIUS)
UNIT = unit_points("sobol", 4096, 2, 0, "a")


def squared_distance(points):
    return np.sum((points - CENTER) ** 2, axis=1)


def test_points_are_uniform_by_area():
    """The mean of r^2 is R^2/2, that of r^4 R^4/3, and half of the points lie in each half plane."""
    points = DISK.sample(UNIT)
    assert DISK.contains(points).all()
    assert squared_distance(points).mean() == pytest.approx(RADIUS**2 / 2, rel=1e-3)
    assert (squared_distance(points) ** 2).mean() == pytest.approx(RADIUS**4 / 3, rel=1e-3)
    np.testing.assert_allclose(points.mean(axis=0), CENTER, atol=2e-3 * RADIUS)
    assert np.mean(points[:, 0] > CENTER[0]) == pytest.approx(0.5, abs=2e-3)


def test_measures_bounds_and_distances():
    assert DISK.measure == pytest.approx(9 * np.pi, rel=1e-15)
    assert DISK.bounds == {"x": (-2.5, 3.5), "y": (-5.0, 1.0)}
    points = CENTER + np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(DISK.distance(points), [3.0, 1.0, 0.0, -2.0], atol=1e-15)
    assert DISK.contains(points).tolist() == [True, True, True, False]
    assert DISK.contains(points, 2.0).all()
    assert not DISK.fills_bounds


def test_the_rim_is_uniform_by_arc_length_with_outward_normals():
    (rim,) = DISK.boundary(("x", "y"))
    assert isinstance(rim, Circle)
    assert rim.measure == pytest.approx(6 * np.pi, rel=1e-15)
    points = rim.sample(unit_points("grid", 360, 1, 0, "a"))
    np.testing.assert_allclose(squared_distance(points), RADIUS**2, rtol=1e-14)
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(gaps, 2 * RADIUS * np.sin(np.pi / 360), rtol=1e-12)
    np.testing.assert_allclose(rim.normals(points), (points - CENTER) / RADIUS, atol=1e-15)
    assert rim.contains(points).all()
    assert not rim.contains(DISK.sample(UNIT)).any()
    assert rim.boundary(("x", "y")) == ()
    assert DISK.boundary(("x",)) == ()


def test_the_divergence_theorem_on_rim_and_disk():
    """The flux of (x^3, x y) through the rim is the integral of 3 x^2 + x over the disk."""
    (rim,) = DISK.boundary(("x", "y"))
    on, within = rim.sample(unit_points("grid", 1000, 1, 0, "a")), DISK.sample(unit_points("sobol", 2**16, 2, 0, "a"))
    field = np.stack([on[:, 0] ** 3, on[:, 0] * on[:, 1]], axis=1)
    flux = rim.measure * np.mean(np.sum(field * rim.normals(on), axis=1))
    assert flux == pytest.approx(DISK.measure * np.mean(3 * within[:, 0] ** 2 + within[:, 0]), rel=1e-3)


def test_points_off_the_rim_come_back_at_right_angles():
    (rim,) = DISK.boundary(("x", "y"))
    points = CENTER + np.array([[6.0, 0.0], [0.0, -0.5]])
    np.testing.assert_allclose(rim.project(points), CENTER + np.array([[3.0, 0.0], [0.0, -3.0]]), atol=1e-15)
    np.testing.assert_array_equal(DISK.project(points), points)


def test_chords():
    chord = DISK.at(x=2.3)  # 1.8 from the centre: half the chord is 2.4
    assert chord.fixed == {"x": 2.3}
    np.testing.assert_allclose(chord.bounds["y"], (-4.4, 0.4), rtol=1e-14)
    assert DISK.at(x=0.5, y=-2.0).dimension == 0
    assert not chord.has_normals
    with pytest.raises(ValueError, match="x = 4 lies outside the domain"):
        DISK.at(x=4.0)


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"names": ("x",)}, ""),
        ({"center": (0.0,)}, "center"),
        ({"radius": 0.0}, "radius"),
        ({"radius": float("nan")}, "radius"),
    ],
)
def test_wrong_settings_are_named(settings, setting):
    with pytest.raises(ShapeError) as caught:
        SHAPES["disk"](**{"names": ("x", "y"), "center": (0.0, 0.0), "radius": 1.0} | settings)
    assert caught.value.setting == setting


CYLINDER = Product((DISK, Box({"t": (0.0, 2.0)})), ("t", "x", "y"))


def test_a_disk_times_an_interval():
    assert (CYLINDER.dimension, CYLINDER.coordinates) == (3, ("t", "x", "y"))
    assert CYLINDER.measure == pytest.approx(18 * np.pi, rel=1e-15)
    points = CYLINDER.sample(unit_points("sobol", 1024, 3, 0, "a"))
    assert CYLINDER.contains(points).all()
    assert points[:, 0].min() >= 0
    assert points[:, 0].max() > 1.9
    assert not CYLINDER.contains(points + np.array([3.0, 0.0, 0.0])).any()
    middle = np.array([[1.0, *CENTER], [0.5, *CENTER], [3.0, *CENTER], [1.0, CENTER[0] + 3.0, CENTER[1] + 4.0]])
    np.testing.assert_allclose(CYLINDER.distance(middle), [1.0, 0.5, -1.0, -2.0])
    assert CYLINDER.spans("t")
    assert not CYLINDER.spans("x")


def test_the_boundary_of_a_product_leaves_out_time():
    (side,) = CYLINDER.boundary(("x", "y"))
    assert (side.dimension, side.measure) == (2, pytest.approx(12 * np.pi))
    points = side.sample(unit_points("sobol", 64, 2, 0, "a"))
    expected = np.column_stack([np.zeros(64), (points[:, 1:] - CENTER) / RADIUS])
    np.testing.assert_allclose(side.normals(points), expected, atol=1e-15)
    moved = points + 0.1
    np.testing.assert_allclose(np.linalg.norm(side.project(moved)[:, 1:] - CENTER, axis=1), RADIUS, rtol=1e-14)
    np.testing.assert_array_equal(side.project(moved)[:, 0], moved[:, 0])


def test_the_start_of_a_product():
    start = CYLINDER.at(t=0.0)
    assert (start.dimension, start.fixed, start.measure) == (2, {"t": 0.0}, pytest.approx(9 * np.pi))
    assert not start.has_normals
    points = start.sample(unit_points("sobol", 64, 2, 0, "a"))
    assert not start.near_edge(points, np.full(3, 1e-6)).any()
    assert start.contains(points).all()
    with pytest.raises(ValueError, match="s is not a coordinate"):
        CYLINDER.at(s=0.0)


def test_ends_of_lines():
    line = Product((Box({"x": (0.0, 1.0), "y": (0.5, 0.5)}), Box({"t": (0.0, 0.0)})), ("t", "x", "y"))
    assert line.ends.tolist() == [[0.0, 0.0, 0.5], [0.0, 1.0, 0.5]]
    assert CYLINDER.at(t=0.0).ends.shape == (0, 3)
    assert Product((Circle(DISK), Box({"t": (0.0, 0.0)})), ("t", "x", "y")).ends.shape == (0, 3)
    with pytest.raises(ValueError, match="the order is"):
        Product((DISK,), ("x", "t"))
