"""Points that follow a residual within shapes: on the rim of a disk, and inside it."""

import numpy as np
import pytest

from pinnkit.domains.box import Box
from pinnkit.domains.combination import Combination
from pinnkit.domains.product import Product
from pinnkit.domains.shapes.disk import Disk
from pinnkit.sampling.adaptive import resample_locally, select
from pinnkit.sampling.redraw_region import Region
from pinnkit.sampling.settings import unit_points

DISK = Disk(("x", "y"), (1.0, 2.0), 2.0)
(RIM,) = DISK.boundary(("x", "y"))


def angles(points):
    return np.arctan2(points[:, 1] - 2.0, points[:, 0] - 1.0)


def resampled(region, points, score):
    return resample_locally(points, score(points), 2048, 1.0, region, lambda moved, _: score(moved), 0, "a", 0)


def test_points_follow_a_peak_along_the_rim():
    """A peak 1 / (1 + (angle / 0.001)^2), thinner than the distance of 256 candidates: half is within 0.001."""

    def peak(points):
        return 1 / (1 + (angles(points) / 0.001) ** 2)

    found = resampled(Region((RIM,)), RIM.sample(unit_points("grid", 256, 1, 0, "a")), peak)
    assert RIM.contains(found.points).all()
    chosen = found.points[select(found.points, found.weight, 512, 1.0, 0.0, 0, "a", 0)]
    assert np.mean(np.abs(angles(chosen)) < 0.001) == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(
        Region((RIM,)).normals(chosen, np.zeros(512, int)), (chosen - [1.0, 2.0]) / 2.0, rtol=1e-12
    )


def test_points_move_by_the_logarithm_of_a_logarithmic_coordinate():
    """Where the residual is the same everywhere their spread stays even in the logarithm."""
    box = Box({"x": (0.0, 1.0), "nu": (1e-4, 1.0)}, logarithmic=frozenset({"nu"}))
    points = box.sample(unit_points("sobol", 2048, 2, 0, "a"))
    found = resampled(Region((box,), None, [1]), points, lambda points: np.ones(len(points)))
    assert box.contains(found.points).all()
    counts, _ = np.histogram(np.log10(found.points[:, 1]), 8, (-4, 0))
    assert np.abs(counts / len(found.points) - 1 / 8).max() < 0.02


def test_points_near_the_rim_stay_inside():
    """A residual that is largest on the rim."""
    found = resampled(
        Region((DISK,)),
        DISK.sample(unit_points("sobol", 512, 2, 0, "a")),
        lambda points: np.exp(-20 * DISK.distance(points)),
    )
    assert DISK.contains(found.points).all()
    assert np.median(DISK.distance(found.points)) < 0.2


def test_each_point_stays_in_its_place():
    cylinder = Product((DISK, Box({"t": (0.0, 1.0)})), ("x", "y", "t"))
    region = Region((*cylinder.boundary(("x", "y")), cylinder.at(t=0.0)))
    points = np.concatenate([place.sample(unit_points("sobol", 128, 2, 0, "a")) for place in region.places])
    place = region.number(points)
    np.testing.assert_array_equal(place, np.repeat([0, 1], 128))
    np.testing.assert_allclose(region.cells(place)[[0, -1]], [[np.pi / 4, np.pi / 4, 1 / 16], [1 / 4, 1 / 4, 0]])
    found = resampled(region, points, lambda one: np.ones(len(one)))
    np.testing.assert_array_equal(region.number(found.points), place[found.origin])
    assert region.normals(points, place) is None  # the start has none


def test_points_move_where_they_are_allowed_alone():
    region = Region((RIM,), allowed=lambda points, place: points[:, 0] > 1.0)
    points = RIM.sample(unit_points("grid", 64, 1, 0, "a"))
    right = points[points[:, 0] > 1.0]
    assert resampled(region, right, lambda one: np.ones(len(one))).points[:, 0].min() > 1.0


def test_lines_are_drawn_to_their_ends():
    square = Box({"x": (0.0, 1.0), "y": (0.0, 2.0)})
    region = Region((square.at(x=0.0),))
    points = np.array([[0.0, 0.5], [0.0, 1.9], [0.0, 1.0]])
    region.reach_ends(points)
    assert points.tolist() == [[0.0, 0.0], [0.0, 2.0], [0.0, 1.0]]


def test_a_line_without_points_moves_none():
    square = Box({"x": (0.0, 1.0), "y": (0.0, 2.0)})
    points = np.array([[0.5, 0.5]])
    Region((square.at(x=0.0),)).reach_ends(points)
    assert points.tolist() == [[0.5, 0.5]]


def test_points_follow_a_peak_on_a_part_of_a_boundary_and_stay_on_it():
    """The rim of an L-shape without a disk: a peak at the place where the disk cuts an edge."""
    square = Box({"x": (-1.0, 1.0), "y": (-1.0, 1.0)})
    corner, bite = Box({"x": (0.0, 1.0), "y": (-1.0, 0.0)}), Disk(("x", "y"), (-1.0, 0.0), 0.5)
    solid = Combination("-", Combination("-", square, corner), bite)
    region = Region(solid.boundary(("x", "y")))
    points = np.concatenate([place.sample(unit_points("grid", 40, 1, 0, "a")) for place in region.places])

    def peak(points):
        return 1 / (1 + 1e4 * ((points[:, 0] + 1) ** 2 + (points[:, 1] - 0.5) ** 2))

    found = resampled(region, points, peak)
    place = region.number(points)[found.origin]
    assert region.allows(found.points, place).all()
    assert (np.abs(solid.distance(found.points)) < 1e-12).all()
    outward = 1e-6 * region.normals(found.points, place)
    assert not solid.contains(found.points + outward).any()
    near = np.hypot(found.points[:, 0] + 1, found.points[:, 1] - 0.5) < 0.1
    assert near.mean() > 0.5

    within = Region((solid,))
    start = solid.draw(256, lambda count: unit_points("sobol", count, 2, 0, "a"))
    assert solid.contains(resampled(within, start, peak).points).all()


def test_trimmed_lines_are_drawn_to_their_ends():
    solid = Combination("-", Box({"x": (0.0, 1.0), "y": (0.0, 2.0)}), Box({"x": (0.0, 0.5), "y": (0.5, 1.0)}))
    (left,) = (part for part in solid.boundary(("x", "y")) if part.fixed == {"x": 0.0})
    points = np.array([[0.0, 0.1], [0.0, 0.45], [0.0, 1.1], [0.0, 1.9]])
    Region((left,)).reach_ends(points)
    np.testing.assert_allclose(points[:, 1], [0.0, 0.5, 1.0, 2.0], atol=1e-12)
