"""Combined solids against closed forms: L-shapes, plates with holes, lenses."""

import numpy as np
import pytest

from pinnkit.domains.box import Box
from pinnkit.domains.combination import Combination
from pinnkit.domains.product import Product
from pinnkit.domains.rim import rim
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.disk import Disk
from pinnkit.domains.shapes.ellipse import Ellipse
from pinnkit.sampling.settings import unit_points

SQUARE = Box({"x": (-1.0, 1.0), "y": (-1.0, 1.0)})
CORNER = Box({"x": (0.0, 1.0), "y": (-1.0, 0.0)})
HOLE = Disk(("x", "y"), (-0.5, 0.5), 0.25)
L_SHAPE = Combination("-", SQUARE, CORNER)
BARS = Combination("+", Box({"x": (-1.0, 1.0), "y": (0.0, 1.0)}), Box({"x": (-1.0, 0.0), "y": (-1.0, 0.0)}))
PLATE = Combination("-", L_SHAPE, HOLE)
LENS = Combination("&", Disk(("x", "y"), (-0.5, 0.0), 1.0), Disk(("x", "y"), (0.5, 0.0), 1.0))
LENS_AREA = 2 * np.pi / 3 - np.sqrt(3) / 2


def drawn(shape: Shape, count: int = 4096, method: str = "sobol") -> np.ndarray:
    return shape.draw(count, lambda count: unit_points(method, count, shape.dimension, 0, "shape"))


@pytest.mark.parametrize(
    ("solid", "area", "perimeter"),
    [
        (L_SHAPE, 3.0, 8.0),
        (BARS, 3.0, 8.0),
        (PLATE, 3.0 - np.pi / 16, 8.0 + np.pi / 2),
        (LENS, LENS_AREA * 2 * 0.5 * 1.0, 4 * np.pi / 3),
        (Combination("+", LENS.left, LENS.right), 2 * np.pi - LENS_AREA, 8 * np.pi / 3),
        (Combination("&", SQUARE, Disk(("x", "y"), (1.0, 1.0), 1.0)), np.pi / 4, 2 + np.pi / 2),
        (Combination("-", SQUARE, Combination("+", CORNER, HOLE)), 3.0 - np.pi / 16, 8.0 + np.pi / 2),
    ],
)  # fmt: skip
def test_area_and_perimeter(solid, area, perimeter):
    assert solid.measure == pytest.approx(area, rel=1e-9)
    assert sum(part.measure for part in solid.boundary(("x", "y"))) == pytest.approx(perimeter, rel=1e-9)


@pytest.mark.parametrize("solid", [L_SHAPE, BARS, PLATE, LENS, Combination("+", LENS.left, LENS.right)])
def test_points_are_uniform_and_the_flux_is_the_integral_of_the_divergence(solid):
    """Of F = p (x + y + 3), with the divergence 3 (x + y) + 6."""
    points = drawn(solid)
    assert solid.contains(points).all()
    through = 0.0
    for part in solid.boundary(("x", "y")):
        on = drawn(part, 2048, "grid")
        assert solid.contains(on).all()
        through += part.measure * np.mean(np.sum(on * part.normals(on), axis=1) * (on.sum(axis=1) + 3))
    assert through == pytest.approx(solid.measure * np.mean(3 * points.sum(axis=1) + 6), rel=5e-3)
    counts, _, _ = np.histogram2d(*points.T, bins=8, range=[solid.bounds["x"], solid.bounds["y"]])
    even = np.linspace(0, 1, 801)[:-1] + 1 / 1600
    grid = solid.lower + np.stack(np.meshgrid(even, even), axis=-1).reshape(-1, 2) * (solid.upper - solid.lower)
    expected, _, _ = np.histogram2d(*grid[solid.contains(grid)].T, bins=8, range=[solid.bounds["x"], solid.bounds["y"]])
    expected *= 4096 / expected.sum()
    kept = expected > 5
    assert np.sum((counts - expected)[kept] ** 2 / expected[kept]) < 1.2 * kept.sum()


def test_names_keep_their_part_of_the_boundary():
    """Of the plate: the corner's two inner edges, the whole hole, and six edges of the square."""
    for shape, length in ((CORNER, 2.0), (HOLE, np.pi / 2), (SQUARE, 6.0)):
        parts = rim(shape, PLATE, ("x", "y"))
        assert sum(part.measure for part in parts) == pytest.approx(length)
        for part in parts:
            points = drawn(part, 64)
            outward = 1e-6 * part.normals(points)
            assert PLATE.contains(points - outward).all()
            assert not PLATE.contains(points + outward).any()


def test_normals_of_an_inner_shape_point_out_of_it():
    inner = Disk(("x", "y"), (0.5, 0.5), 0.25)
    (part,) = rim(inner, PLATE, ("x", "y"))
    points = drawn(part, 64)
    np.testing.assert_allclose(part.normals(points), (points - inner.center) / 0.25, atol=1e-12)
    left = Box({"x": (-1.0, 0.0), "y": (-1.0, 1.0)})
    assert sum(part.measure for part in rim(left, SQUARE, ("x", "y"))) == pytest.approx(6.0)


def test_seams_are_no_part_of_what_is_left():
    halves = Combination("+", Box({"x": (-0.5, 0.0), "y": (-0.5, 0.5)}), Box({"x": (0.0, 0.5), "y": (-0.5, 0.5)}))
    frame = Combination("-", SQUARE, halves)
    twice = Combination("-", Combination("-", SQUARE, halves.left), halves.right)
    points = np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 0.7], [0.5, 0.5], [-1.0, 0.0], [1.1, 0.0]])
    for solid in (frame, twice):
        assert solid.contains(points).tolist() == [False, True, True, True, True, False]
        assert solid.measure == pytest.approx(3.0)
    assert halves.contains(points).tolist() == [True, True, False, True, False, False]
    assert len(halves.boundary(("x", "y"))) == 6


def test_bounds_shrink_to_what_is_left():
    assert Combination("-", SQUARE, Box({"x": (-1.0, 0.5), "y": (-1.0, 1.0)})).bounds["x"] == (0.5, 1.0)
    assert LENS.bounds["x"] == (-0.5, 0.5)
    assert BARS.bounds == {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}


def test_distance_has_the_sign_of_the_solid():
    points = 2.4 * unit_points("sobol", 4096, 2, 0, "box") - 1.2
    for solid in (L_SHAPE, PLATE, LENS, BARS):
        distance = solid.distance(points)
        np.testing.assert_array_equal(distance > 0, solid.contains(points))
        edge = np.concatenate([drawn(part, 1000, "grid") for part in solid.boundary(("x", "y"))])
        nearest = np.array([np.linalg.norm(edge - one, axis=1).min() for one in points[:200]])
        assert (np.abs(distance[:200]) <= nearest + 1e-12).all()


def test_parts_contain_themselves_and_take_points_back():
    for part in PLATE.boundary(("x", "y")):
        points = drawn(part, 256)
        assert part.contains(points).all()
        np.testing.assert_allclose(part.project(points + 0.01 * part.normals(points)), points, atol=1e-12)
        assert not part.contains(points + 1e-3).any()
        assert part.near_edge(points, np.full(2, 0.05)).sum() == pytest.approx(
            (256 * 0.1 / part.measure if len(part.ends) else 0), abs=12
        )
        assert all(part.contains(part.ends)) or not len(part.ends)


def test_a_line_through_it_is_cut_where_it_leaves():
    line = PLATE.at(x=-0.5)
    assert line.measure == pytest.approx(1.5)
    assert line.fixed == {"x": -0.5}
    points = drawn(line, 200)
    assert PLATE.contains(points).all()
    np.testing.assert_allclose(np.sort(line.ends[:, 1]), [-1, 0.25, 0.75, 1])
    assert line.normals(points) is None
    with pytest.raises(ValueError, match=r"x = 0\.5, y = -0\.5 lies outside the domain"):
        PLATE.at(x=0.5, y=-0.5)
    with pytest.raises(ValueError, match="z is not a coordinate"):
        PLATE.at(z=0.0)
    assert PLATE.at(x=0.5, y=0.5).dimension == 0


def test_it_spans_a_coordinate_where_both_do():
    channel, pipe = Box(dict.fromkeys("xyz", (-1.0, 1.0))), Disk(("x", "y"), (0.0, 0.0), 0.5)
    through = Product((pipe, Box({"z": (-1.0, 1.0)})), ("x", "y", "z"))
    short = Product((pipe, Box({"z": (-1.0, 0.5)})), ("x", "y", "z"))
    for operation, other, spanned in (
        ("-", through, True),
        ("-", short, False),
        ("+", short, False),
        ("&", short, True),
    ):
        solid = Combination(operation, channel, other)
        assert (solid.spans("z"), solid.spans("x"), solid.fills_bounds) == (spanned, False, False)
    assert Combination("&", SQUARE, CORNER).fills_bounds
    assert not L_SHAPE.fills_bounds


@pytest.mark.parametrize(("operation", "other"), [("-", SQUARE), ("&", Disk(("x", "y"), (3.0, 0.0), 1.0))])
def test_nothing_left_is_refused(operation, other):
    with pytest.raises(ValueError, match="is empty"):
        Combination(operation, SQUARE, other)


def test_in_one_and_in_three_coordinates():
    gaps = Combination("-", Box({"x": (0.0, 3.0)}), Box({"x": (1.0, 2.0)}))
    assert gaps.measure == pytest.approx(2.0, rel=1e-12)
    ends = {(part.fixed["x"], part.normals(np.zeros((1, 1)))[0, 0]) for part in gaps.boundary(("x",))}
    assert ends == {(0.0, -1.0), (3.0, 1.0), (1.0, 1.0), (2.0, -1.0)}
    cube, notch = (Box(dict.fromkeys("xyz", (0.0, end))) for end in (2.0, 1.0))
    solid = Combination("-", cube, notch)
    assert solid.measure == pytest.approx(7.0, rel=1e-3)
    parts = solid.boundary(tuple("xyz"))
    assert sum(part.measure for part in parts) == pytest.approx(24.0, rel=1e-3)
    for part in parts:
        points = drawn(part, 256)
        assert part.contains(points).all()
        assert solid.contains(points).all()
        assert not solid.contains(points + 1e-6 * part.normals(points)).any()


@pytest.mark.parametrize("radius", [0.5, 3.0])
def test_a_face_that_the_solid_only_touches_is_no_part_of_its_boundary(radius):
    """A quarter of a disk, in the box around it: the faces x = R and y = R meet the disk at one point each."""
    box = Box({"x": (0.0, radius), "y": (0.0, radius)})
    quarter = Combination("&", box, Disk(("x", "y"), (0.0, 0.0), radius))
    fixed = [part.base.fixed for part in quarter.boundary(("x", "y")) if isinstance(part.base, Box)]
    assert fixed == [{"x": 0.0}, {"y": 0.0}]
    assert quarter.measure == pytest.approx(np.pi * radius**2 / 4, rel=1e-12)


def a_shape(rng: np.random.Generator) -> Shape:
    """A rectangle, a disk or an ellipse whose ends lie on a coarse grid, so that edges of several often coincide."""
    at = tuple((rng.integers(0, 5, 2) / 4).tolist())
    kind = rng.integers(3)
    if kind == 0:
        ends = [sorted((rng.choice(5, 2, replace=False) / 4).tolist()) for _ in range(2)]
        return Box({"x": tuple(ends[0]), "y": tuple(ends[1])})
    return Disk(("x", "y"), at, 0.25) if kind == 1 else Ellipse(("x", "y"), at, (0.5, 0.25), 0.4)


def test_any_combination_has_a_closed_boundary_around_its_area():
    """The integral of the normal along it is zero."""
    rng, found = np.random.default_rng(3), 0
    while found < 4:
        try:
            pairs = [Combination(str(rng.choice(list("+-&"))), a_shape(rng), a_shape(rng)) for _ in range(2)]
            solid = Combination(str(rng.choice(list("+-&"))), *pairs)
        except ValueError:  # nothing left
            continue
        found += 1
        total, nodes = np.zeros(2), np.polynomial.legendre.leggauss(20)
        for part in solid.boundary(("x", "y")):
            for lower, upper in part.pieces():
                points = part.base.sample(lower + (upper - lower) * (nodes[0][:, None] + 1) / 2)
                total += part.base.measure * (upper - lower) / 2 * nodes[1] @ part.normals(points)
        assert np.abs(total).max() < 1e-5
        even = 2 * unit_points("sobol", 2**14, 2, 0, "box") - 0.5
        assert 4 * solid.contains(even).mean() == pytest.approx(solid.measure, abs=5e-3)
