"""Meshes against the solids that they stand for."""

import itertools

import numpy as np
import pytest

from pinnkit.domains.nearest_on_mesh import closest_on_triangles
from pinnkit.domains.shape import ShapeError
from pinnkit.domains.shapes.mesh import Mesh
from pinnkit.domains.triangle_mesh import TriangleMesh, icosphere
from pinnkit.sampling.settings import unit_points

XYZ = ("x", "y", "z")
CUBE = np.array([[i, j, k] for i in (0.0, 1.0) for j in (0.0, 1.0) for k in (0.0, 1.0)])
SIDES = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4),
     (1, 5, 7), (1, 7, 3)]
)  # fmt: skip
"""Of the unit cube, wound so that the normals lead out."""


def mesh(vertices, faces) -> Mesh:
    return Mesh(XYZ, TriangleMesh("part.stl", np.asarray(vertices, dtype=float), np.asarray(faces)))


def united(*parts):
    """Vertices and faces of several meshes together."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts[:-1])])
    faces = [part[1] + start for part, start in zip(parts, starts, strict=True)]
    return np.concatenate([part[0] for part in parts]), np.concatenate(faces)


def drawn(shape, count=4096):
    return shape.draw(count, lambda more: unit_points("sobol", more, shape.dimension, 0, "mesh"))


@pytest.fixture(scope="module")
def sphere() -> Mesh:
    return mesh(*icosphere(4, (0, 0, 0), 1.0))


def test_a_fine_sphere_is_a_ball_within_the_error_of_its_facets(sphere):
    (surface,) = sphere.boundary(XYZ)
    facet = 0.04  # half the length of an edge: a facet lies facet^2 / 2 below the sphere
    assert sphere.measure == pytest.approx(4 / 3 * np.pi, rel=2 * facet**2)
    assert surface.measure == pytest.approx(4 * np.pi, rel=2 * facet**2)
    inside, on = drawn(sphere), drawn(surface)
    np.testing.assert_allclose(np.mean(inside**2, axis=0), 1 / 5, rtol=0.01)
    np.testing.assert_allclose(np.mean(on**2, axis=0), 1 / 3, rtol=0.01)
    np.testing.assert_allclose(surface.normals(on), on / np.linalg.norm(on, axis=1, keepdims=True), atol=2 * facet)
    np.testing.assert_allclose(sphere.distance(inside), 1 - np.linalg.norm(inside, axis=1), atol=facet**2)
    np.testing.assert_allclose(sphere.distance(on), 0, atol=1e-15)
    around = 2.4 * unit_points("sobol", 4096, 3, 0, "a") - 1.2
    radius = np.linalg.norm(around, axis=1)
    clear = np.abs(radius - 1) > facet**2
    np.testing.assert_array_equal(sphere.inside(around)[clear], (radius < 1)[clear])


def test_points_of_a_cube_are_uniform():
    """Chi-square of points in 512 cells within, and in 16 cells of each of the six sides."""
    cube = mesh(CUBE, SIDES)
    inside = drawn(cube)
    counts = np.histogramdd(inside, 8, ((0, 1),) * 3)[0]
    assert np.sum((counts - 8) ** 2 / 8) / 512 < 0.5
    on = drawn(cube.boundary(XYZ)[0], 6 * 512)
    normals = cube.boundary(XYZ)[0].normals(on)
    for axis in range(3):
        for end in (0, 1):
            side = on[np.abs(normals[:, axis] - (2 * end - 1)) < 1e-12]
            np.testing.assert_allclose(side[:, axis], end, atol=1e-15)
            counts = np.histogramdd(np.delete(side, axis, axis=1), 4, ((0, 1),) * 2)[0]
            assert len(side) == pytest.approx(512, abs=2)
            assert np.sum((counts - 32) ** 2 / 32) / 16 < 1


def test_a_cube_is_exact_also_at_points_on_its_edges():
    """Points of a grid, whose rays along the axes would pass edges and corners."""
    cube = mesh(CUBE, SIDES)
    (surface,) = cube.boundary(XYZ)
    axis = np.linspace(-0.5, 1.5, 17)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    depth = np.minimum(points, 1 - points)
    outside = np.linalg.norm(np.minimum(depth, 0), axis=1)
    expected = np.where(outside > 0, -outside, depth.min(axis=1))
    np.testing.assert_allclose(cube.distance(points), expected, atol=1e-15)
    np.testing.assert_array_equal(cube.contains(points), expected >= 0)
    np.testing.assert_array_equal(cube.contains(points, -1e-9), expected > 0)
    np.testing.assert_array_equal(cube.contains(points, 0.2), expected >= -0.2)
    np.testing.assert_array_equal(cube.near_edge(points, np.full(3, 0.2)), np.abs(expected) <= 0.2)
    np.testing.assert_array_equal(surface.contains(points), expected == 0)
    assert (cube.measure, surface.measure) == (pytest.approx(1, rel=1e-15), pytest.approx(6, rel=1e-15))


def test_faces_in_any_order_and_direction_make_the_same_solid(sphere):
    vertices, faces = sphere.triangles.vertices, sphere.triangles.faces
    rng = np.random.default_rng(0)
    turned = np.where(rng.random(len(faces))[:, None] < 0.4, faces[:, ::-1], faces)
    order = rng.permutation(len(vertices))
    other = mesh(vertices[order], np.argsort(order)[turned])
    assert other.measure == pytest.approx(sphere.measure, rel=1e-12)
    points = drawn(other.boundary(XYZ)[0], 256)
    assert np.all(np.sum(points * other.boundary(XYZ)[0].normals(points), axis=1) > 0.9)


def test_a_cavity_is_no_part_of_the_solid_and_bodies_may_lie_apart():
    small, large = icosphere(2, (0, 0, 0), 0.5), icosphere(2, (0, 0, 0), 1.0)
    hollow = mesh(*united(large, small))
    assert hollow.measure == pytest.approx(7 / 8 * mesh(*large).measure, rel=1e-12)
    assert not hollow.contains(np.zeros((1, 3)))[0]
    (surface,) = hollow.boundary(XYZ)
    points = drawn(surface, 512)
    outward = np.sum(points * surface.normals(points), axis=1)
    np.testing.assert_array_equal(outward > 0, np.linalg.norm(points, axis=1) > 0.7)
    apart = mesh(*united(large, (large[0] + 3, large[1])))
    assert apart.measure == pytest.approx(2 * mesh(*large).measure, rel=1e-12)


def test_a_point_does_not_depend_on_those_beside_it(sphere):
    points = 2.4 * unit_points("sobol", 200, 3, 0, "a") - 1.2
    one_by_one = [sphere.distance(point[None])[0] for point in points]
    np.testing.assert_array_equal(sphere.distance(points), one_by_one)


def test_nearest_points_of_single_triangles():
    """In the plane of the triangle, on each edge and at each corner; of one without an area on its edge."""
    corners = np.array([[0.0, 0, 0], [2, 0, 0], [0, 2, 0]])
    points = np.array([[0.5, 0.5, 3], [1, -1, 1], [-1, 1, 0], [2, 2, -1], [-1, -1, 2], [4, -1, 0], [-1, 4, 0]])
    nearest = [[0.5, 0.5, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [2, 0, 0], [0, 2, 0]]
    np.testing.assert_allclose(closest_on_triangles(points, np.tile(corners, (7, 1, 1))), nearest, atol=1e-15)
    flat = np.array([[0.0, 0, 0], [2, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(closest_on_triangles(points[:1], flat[None]), [[0.5, 0, 0]], atol=1e-15)


def test_large_triangles_beside_tiny_and_thin_ones_are_found():
    """The cube with an edge in 200 parts, so that its two sides have thin triangles that get small toward a corner."""
    rng = np.random.default_rng(0)
    along = np.geomspace(1e-3, 1, 200)[:-1]
    vertices = np.concatenate([CUBE, np.stack([0 * along, along, 0 * along], axis=1)])
    edge = [0, *range(8, 8 + len(along)), 2]
    faces = [tuple(face) for face in SIDES if not {0, 2} <= set(face)]
    faces += [(one, other, across) for one, other in itertools.pairwise(edge) for across in (3, 6)]
    cube = mesh(vertices, faces)
    assert cube.measure == pytest.approx(1, rel=1e-12)
    points = rng.random((200, 3))
    points[np.arange(200), rng.integers(3, size=200)] = rng.integers(2, size=200)
    points[:50] *= 0.02
    on = np.minimum(points, 1 - points).min(axis=1) == 0
    np.testing.assert_allclose(cube.distance(points[on]), 0, atol=1e-14)
    near = np.clip(points + 0.01 * rng.standard_normal(points.shape), 0.001, 0.999)
    np.testing.assert_allclose(cube.distance(near), np.minimum(near, 1 - near).min(axis=1), atol=1e-14)


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        (CUBE, SIDES[1:], r"not watertight: 3 of its 18 edges have a face on one side alone, .* near \(0"),
        (
            np.vstack([CUBE, [[0.5, 0.5, 3]]]),
            np.vstack([SIDES, [[0, 1, 8]] * 2]),
            "more than two faces meet at an edge",
        ),
        (*united((CUBE, SIDES), (CUBE + 0.8, SIDES)), "crosses or touches itself, such as near"),
        (*united(icosphere(2, (0, 0, 0), 1.0), icosphere(2, (1.5, 0, 0), 1.0)), "crosses or touches itself, such as"),
        (CUBE[:, :1] * [1.0, 0, 0], SIDES, "has no triangle with an area"),
    ],
)
def test_what_bounds_no_solid_is_refused(vertices, faces, message):
    with pytest.raises(ShapeError, match=message):
        mesh(vertices, faces)


def test_a_mesh_needs_three_coordinates():
    with pytest.raises(ShapeError, match="here they are x, y"):
        Mesh(("x", "y"), TriangleMesh("part.stl", CUBE, SIDES))
