from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from pinnkit.domains.box import Box

BRICK = Box({"x": (-1.0, 2.0), "y": (0.0, 0.5), "t": (0.0, 4.0)})


def test_measure_is_the_product_of_the_lengths_that_vary():
    assert BRICK.measure == 3.0 * 0.5 * 4.0
    assert BRICK.at(t=1.0).measure == 3.0 * 0.5
    assert BRICK.at(t=1.0, x=0.0).measure == 0.5
    assert BRICK.at(t=1.0, x=0.0, y=0.25).measure == 1.0
    assert BRICK.at(t=1.0).free == ("x", "y")


def test_the_faces_of_a_box_have_its_surface():
    faces = BRICK.boundary(("x", "y", "t"))
    lengths = (3.0, 0.5, 4.0)
    surface = 2 * sum(math.prod(lengths) / length for length in lengths)
    assert sum(face.measure for face in faces) == pytest.approx(surface, rel=1e-15)
    assert len(BRICK.boundary(("x", "y"))) == 4


def test_the_divergence_theorem_holds_on_the_faces():
    """The integral of div F over the box is the flux of F through its faces: F = (x^2, x y, t) by midpoints."""

    def midpoints(box: Box, side: int = 40) -> tuple[np.ndarray, float]:
        axis = (np.arange(side) + 0.5) / side
        unit = np.stack(np.meshgrid(*[axis] * len(box.free), indexing="ij"), axis=-1).reshape(-1, len(box.free))
        return box.sample(unit), box.measure / len(unit)

    inside, volume = midpoints(BRICK)
    divergence = np.sum(2 * inside[:, 0] + inside[:, 0] + 1.0) * volume
    flux = 0.0
    for face in BRICK.boundary(("x", "y", "t")):
        points, area = midpoints(face)
        x, y, t = points.T
        field = (x**2, x * y, t)
        flux += area * sum(np.sum(part) * face.normal[name] for part, name in zip(field, ("x", "y", "t"), strict=True))
    assert flux == pytest.approx(divergence, rel=1e-12)


def test_normals_are_unit_and_point_outward():
    for face in BRICK.boundary(("x", "y", "t")):
        normal = np.array([face.normal[name] for name in BRICK.coordinates])
        assert np.linalg.norm(normal) == 1.0
        center = face.sample(np.full((1, 2), 0.5))
        assert BRICK.contains(center - 1e-9 * normal).all()
        assert not BRICK.contains(center + 1e-9 * normal).any()
    assert BRICK.normal == {}
    assert BRICK.at(x=-1.0).normal == {}
    assert BRICK.face("x", 2.0).at(t=0.0).normal == {"x": 1.0, "y": 0.0, "t": 0.0}


def test_unit_points_are_mapped_affinely():
    unit = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 0.25, 0.75]])
    np.testing.assert_array_equal(BRICK.sample(unit), [[-1.0, 0.0, 0.0], [2.0, 0.5, 4.0], [0.5, 0.125, 3.0]])
    wall = BRICK.at(y=0.3)
    np.testing.assert_array_equal(wall.sample(np.array([[0.5, 0.25]])), [[0.5, 0.3, 1.0]])
    np.testing.assert_array_equal(BRICK.at(x=0.0, y=0.1, t=2.0).sample(np.zeros((2, 0))), [[0.0, 0.1, 2.0]] * 2)


def test_mapped_points_reach_both_ends_exactly():
    lower, upper = (-0.39, -0.05)
    assert lower + (upper - lower) > upper  # in floating point
    np.testing.assert_array_equal(Box({"x": (-0.39, -0.05)}).sample(np.array([[0.0], [1.0]])), [[lower], [upper]])


def test_points_of_a_face_carry_its_value_exactly():
    points = BRICK.face("x", 2.0).sample(np.random.default_rng(0).random((50, 2)))
    assert np.all(points[:, 0] == 2.0)
    assert BRICK.contains(points).all()


def test_contains_is_a_mask_of_the_closed_box():
    points = np.array([[-1.0, 0.0, 0.0], [2.0, 0.5, 4.0], [2.0 + 1e-12, 0.1, 1.0], [0.0, -1e-12, 1.0]])
    np.testing.assert_array_equal(BRICK.contains(points), [True, True, False, False])


def test_grid_has_both_ends_and_the_counts_of_each_coordinate():
    grid = BRICK.grid({"x": 4, "y": 2, "t": 3})
    assert all(values.shape == (4, 2, 3) for values in grid.values())
    np.testing.assert_allclose(grid["x"][:, 1, 2], [-1.0, 0.0, 1.0, 2.0], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(grid["y"][0, :, 0], [0.0, 0.5])
    np.testing.assert_array_equal(grid["t"][0, 0], [0.0, 2.0, 4.0])


def test_bounds_as_arrays():
    np.testing.assert_array_equal(BRICK.lower, [-1.0, 0.0, 0.0])
    np.testing.assert_array_equal(BRICK.upper, [2.0, 0.5, 4.0])


def test_a_coordinate_may_have_any_name():
    assert Box({"self": (0.0, 1.0), "x": (0.0, 2.0)}).face("self", 1.0).measure == 2.0


def test_a_box_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BRICK.bounds = {}


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"x": (1.0, 0.0)}, r"range of x is \[1.0, 0.0\]: the lower end comes first"),
        ({"x": (0.0, math.inf)}, r"range of x is \[0.0, inf\]: both ends must be finite"),
        ({"x": (math.nan, 1.0)}, "both ends must be finite"),
    ],
)
def test_wrong_bounds_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        Box(bounds)


def test_wrong_places_are_refused():
    with pytest.raises(ValueError, match="z is not a coordinate; coordinates are x, y, t"):
        BRICK.at(z=0.0)
    with pytest.raises(ValueError, match=r"x = 5 lies outside the domain \[-1, 2\]"):
        BRICK.at(x=5.0)
    with pytest.raises(ValueError, match="x = 0 is not a face: the faces are at -1 and 2"):
        BRICK.face("x", 0.0)
    with pytest.raises(ValueError, match=r"unit has shape \(4, 2\): \(n, 3\) is needed"):
        BRICK.sample(np.zeros((4, 2)))


def test_distances_are_positive_inside_zero_on_faces_and_negative_outside():
    square = Box({"x": (0.0, 2.0), "y": (0.0, 1.0)})
    points = np.array([[1.0, 0.5], [0.25, 0.5], [2.0, 0.5], [5.0, 5.0], [3.0, 0.5]])
    np.testing.assert_allclose(square.distance(points), [0.5, 0.25, 0.0, -5.0, -1.0])
    face = square.face("x", 2.0)
    np.testing.assert_allclose(face.distance(points), [-1.0, -1.75, 0.0, -5.0, -1.0])


def test_points_near_the_edge_of_a_face_and_off_it():
    face = Box({"x": (0.0, 2.0), "y": (0.0, 1.0)}).face("x", 2.0)
    points = np.array([[2.0, 0.5], [2.0, 0.999]])
    assert face.near_edge(points, np.array([0.01, 0.01])).tolist() == [False, True]
    assert face.contains(points + 0.005).tolist() == [False, False]
    assert face.contains(points + 0.005, np.array([0.01, 0.01])).tolist() == [True, True]
    np.testing.assert_array_equal(face.project(np.array([[1.5, 0.3]])), [[2.0, 0.3]])
    assert face.ends.tolist() == [[2.0, 0.0], [2.0, 1.0]]
