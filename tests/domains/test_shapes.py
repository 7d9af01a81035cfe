"""What every shape that a problem may choose must do, in its example: found in the registry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.disk import Circle, Disk
from pinnkit.domains.shapes.mesh import Surface
from pinnkit.problem.problem import Problem
from pinnkit.sampling.settings import unit_points

COUNT = 2**12


def sampled(shape: Shape, count: int = COUNT) -> np.ndarray:
    return shape.draw(count, lambda drawn: unit_points("sobol", drawn, shape.dimension, 0, "shape"))


def around(shape: Shape) -> np.ndarray:
    """Even points of the bounding box, made wider by a fifth on each side."""
    unit = unit_points("sobol", 2**14, len(shape.coordinates), 0, "box")
    return shape.lower + (1.4 * unit - 0.2) * (shape.upper - shape.lower)


def size(shape: Shape) -> float:
    return float((shape.upper - shape.lower).max())


@pytest.fixture(params=list(SHAPES))
def shape(request) -> Shape:
    return SHAPES[request.param](**SHAPES[request.param].example)


@pytest.fixture
def parts(shape) -> tuple[Shape, ...]:
    """The parts of its boundary."""
    return shape.boundary(shape.coordinates)


def test_it_is_a_solid_with_a_boundary_and_no_normals_of_its_own(shape, parts):
    assert shape.dimension == len(shape.coordinates) == len(shape.free)
    assert shape.normals(sampled(shape, 4)) is None
    assert shape.boundary(()) == ()
    assert parts
    for part in parts:
        assert part.coordinates == shape.coordinates
        assert part.dimension == shape.dimension - 1
        assert part.has_normals
        assert part.description


def test_its_samples_lie_within_it_and_are_even(shape):
    """Their first and second moments are those of the even points of the box that it contains."""
    points, others = sampled(shape), around(shape)
    others = others[shape.contains(others)]
    assert points.shape == (COUNT, len(shape.coordinates))
    assert shape.contains(points).all()
    for power in (1, 2):
        moments = (((one - shape.lower) / size(shape)) ** power for one in (points, others))
        found, expected = (one.mean(axis=0) for one in moments)
        np.testing.assert_allclose(found, expected, atol=0.01)


def test_its_measure_is_its_share_of_the_box(shape):
    points = around(shape)
    volume = np.prod(1.4 * (shape.upper - shape.lower))
    assert shape.measure == pytest.approx(volume * shape.contains(points).mean(), rel=0.01)


def test_its_bounds_are_tight(shape, parts):
    points = np.concatenate([sampled(part) for part in parts])
    assert (points >= shape.lower - 1e-12 * size(shape)).all()
    assert (points <= shape.upper + 1e-12 * size(shape)).all()
    np.testing.assert_allclose(points.min(axis=0), shape.lower, atol=2e-3 * size(shape))
    np.testing.assert_allclose(points.max(axis=0), shape.upper, atol=2e-3 * size(shape))


@pytest.mark.parametrize("field", ["cubes", "product"])
def test_the_flux_through_its_boundary_is_the_integral_of_the_divergence(field, shape, parts):
    """Of F_i = p_i^3, and of F = p (p_1 + ... + p_d), with the divergence (d + 1) (p_1 + ... + p_d)."""

    def flux(points, normals):
        values = points**3 if field == "cubes" else points * points.sum(axis=1, keepdims=True)
        return np.sum(values * normals, axis=1)

    within = sampled(shape, 2**15)
    divergence = 3 * (within**2).sum(axis=1) if field == "cubes" else (within.shape[1] + 1) * within.sum(axis=1)
    through = 0.0
    for part in parts:
        points = sampled(part)
        through += part.measure * np.mean(flux(points, part.normals(points)))
    expected = shape.measure * divergence.mean()
    assert through == pytest.approx(expected, abs=3e-3 * shape.measure * np.abs(divergence).mean())


def test_normals_have_length_one_and_lead_out(shape, parts):
    step = 1e-7 * size(shape)
    for part in parts:
        points = sampled(part)
        normals = part.normals(points)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, rtol=1e-12)
        assert not shape.contains(points + step * normals).any()
        assert shape.contains(points - step * normals).all()


def test_points_come_back_to_each_part_of_the_boundary_at_right_angles(shape, parts):
    """Near it, and once: what lies there stays."""
    np.testing.assert_array_equal(shape.project(around(shape)), around(shape))
    reach = 0.01 * size(shape)
    for part in parts:
        points = sampled(part)
        assert part.contains(points).all()
        np.testing.assert_allclose(part.project(points), points, atol=1e-12 * size(shape))
        moved = points + reach * (2 * unit_points("uniform", COUNT, points.shape[1], 0, "move") - 1)
        back = part.project(moved)
        np.testing.assert_allclose(part.project(back), back, atol=1e-12 * size(shape))
        assert part.contains(back, 3 * reach).all()  # a flat part may be left at its edge
        inner = part.contains(back)
        assert inner.mean() > 0.9
        normals, away = part.normals(back[inner]), (moved - back)[inner]
        along = np.sum(away * normals, axis=1, keepdims=True) * normals
        straight = np.abs(along - away).max(axis=1) <= 1e-9 * size(shape)
        assert straight.mean() > 0.95 if isinstance(part, Surface) else straight.all()  # facets have edges


def test_distances_are_those_to_the_boundary_with_a_sign(shape, parts):
    points = around(shape)
    distance = shape.distance(points)
    clear = np.abs(distance) > 1e-9 * size(shape)
    np.testing.assert_array_equal(shape.contains(points)[clear], distance[clear] > 0)
    assert shape.contains(points, 0.3 * size(shape) * np.ones(points.shape[1])).sum() > shape.contains(points).sum()
    edge = np.concatenate([sampled(part) for part in parts])
    np.testing.assert_allclose(shape.distance(edge), 0.0, atol=1e-12 * size(shape))
    for one in points[:: len(points) // 100]:
        nearest = np.linalg.norm(edge - one, axis=1).min()
        assert abs(shape.distance(one[None])[0]) == pytest.approx(nearest, abs=0.02 * size(shape))


def test_points_near_its_edge_are_found(shape):
    points, slack = sampled(shape), 0.05 * size(shape)
    near, distance = shape.near_edge(points, np.full(points.shape[1], slack)), shape.distance(points)
    assert near[distance < 0.5 * slack].all()
    assert not near[distance > 2 * slack].any()
    assert 0 < near.sum() < len(points)


def cells(points: np.ndarray, shape: Shape) -> np.ndarray:
    """Points in each cell of a grid over the bounding box, 8 x 8 in the plane and 4 x 4 x 4 in space."""
    count = {1: 32, 2: 8}.get(points.shape[1], 4)
    ranges = list(zip(shape.lower, shape.upper + 1e-9 * size(shape), strict=True))
    return np.histogramdd(points, bins=count, range=ranges)[0].ravel()


def too_uneven(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether counts differ by more than independent points would in one of a thousand cases (Pearson's statistic)."""
    expected = expected * found.sum() / expected.sum()
    enough = expected >= 5
    statistic = np.sum((found - expected)[enough] ** 2 / expected[enough])
    return statistic > chi2(enough.sum() - 1).ppf(0.999)


def test_its_points_fill_the_cells_of_a_grid_evenly(shape):
    others = unit_points("sobol", 2**15, len(shape.coordinates), 0, "box")
    others = shape.lower + others * (shape.upper - shape.lower)
    assert not too_uneven(cells(sampled(shape), shape), cells(others[shape.contains(others)], shape))


def test_points_of_its_boundary_fill_the_cells_of_a_grid_evenly(shape, parts):
    """As those of the box do that are less than a hundredth of its size away from the boundary."""
    others = unit_points("sobol", 2**14, len(shape.coordinates), 0, "box")
    others = shape.lower + (1.1 * others - 0.05) * (shape.upper - shape.lower)
    others = np.clip(others[np.abs(shape.distance(others)) < 0.01 * size(shape)], shape.lower, shape.upper)
    whole = sum(part.measure for part in parts)
    points = np.concatenate([sampled(part, round(1024 * part.measure / whole)) for part in parts])
    assert not too_uneven(cells(points, shape), cells(others, shape))


@pytest.mark.parametrize("power", range(4))
def test_integrals_of_polynomials_by_4096_points_are_right_to_a_hundredth(power, shape, parts):
    """Of (x + y + ...)^p, p + d times which is div(p (x + y + ...)^p), against the flux through the boundary."""

    def values(points):
        return ((points - shape.lower) / size(shape)).sum(axis=1) ** power

    def outward(part, points):
        return np.sum((points - shape.lower) * part.normals(points), axis=1)

    inner = shape.measure * np.mean(values(sampled(shape)))
    through = [(part, sampled(part)) for part in parts]
    flux = sum(part.measure * np.mean(values(points) * outward(part, points)) for part, points in through)
    assert flux / (power + len(shape.coordinates)) == pytest.approx(inner, rel=0.01)


def test_normals_are_the_gradient_of_the_distance(shape, parts):
    step = 1e-5 * size(shape)
    for part in parts:
        points = sampled(part, 256)
        points = points[~part.near_edge(points, np.full(points.shape[1], 0.01 * size(shape)))]
        gradient = [
            (shape.distance(points + step * along) - shape.distance(points - step * along)) / (2 * step)
            for along in np.eye(points.shape[1])
        ]
        np.testing.assert_allclose(part.normals(points), -np.stack(gradient, axis=1), atol=1e-6)


def test_a_part_at_a_value_lies_in_it_or_is_refused(shape):
    name, (lower, upper) = next(iter(shape.bounds.items()))
    with pytest.raises(ValueError, match=name):
        shape.at(**{name: upper + 0.5 * (upper - lower)})
    try:
        part = shape.at(**{name: 0.6 * lower + 0.4 * upper})
    except ValueError:
        return
    assert part.coordinates == shape.coordinates
    assert part.fixed[name] == pytest.approx(0.6 * lower + 0.4 * upper)
    assert shape.contains(sampled(part)).all()


def test_a_curved_boundary_that_points_cannot_come_back_to_is_refused_when_the_problem_is_read(monkeypatch):
    problem = {
        "coordinates": {"x": [-2, 2], "y": [-2, 2]},
        "shapes": {"part": {"disk": {"center": [0, 0], "radius": 1}}},
        "domain": "part",
        "fields": ["u"],
        "equations": "u_xx + u_yy = 0",
        "conditions": {"rim": {"at": "boundary", "equations": "u = 0"}},
    }
    Problem(**problem)
    monkeypatch.setattr(Circle, "project", Shape.project)
    message = "Circle has dimension 1 and varies in x, y: it must define project"
    with pytest.raises(TypeError, match=message):
        Problem(**problem)
    disk = Disk(("x", "y"), (0.0, 0.0), 1.0)
    with pytest.raises(TypeError, match=message):
        disk.boundary(("x", "y"))[0].project(np.ones((1, 2)))
    assert disk.project(np.ones((1, 2))).tolist() == [[1.0, 1.0]]
