"""`domain` as an expression of shapes: conditions on its parts, regions, and what is refused."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol

SHAPES = {
    "corner": {"box": {"lower": [0, -1], "upper": [1, 0]}},
    "hole": {"disk": {"center": [-0.5, 0.5], "radius": 0.25}},
    "blob": {"disk": {"center": [0.5, 0.5], "radius": 0.3}},
    "far": {"disk": {"center": [5, 5], "radius": 1}},
}
USED = "box - corner - hole"


def config(domain=USED, at="boundary", names=("corner", "hole"), **changes):
    return {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "shapes": {name: SHAPES[name] for name in names},
        "domain": domain,
        "fields": ["u"],
        "equations": "-laplacian(u) = 1",
        "conditions": {"rim": {"at": at, "equations": "u = 0"}},
    } | changes


def length(at, **changes):
    problem = Problem(**config(at=at, **changes))
    return sum(place.measure for place in problem.conditions[0].places)


def test_the_parts_of_the_boundary_by_their_names():
    assert length("boundary") == pytest.approx(8 + np.pi / 2)
    assert length("box") == pytest.approx(6)
    assert length("hole") == pytest.approx(np.pi / 2)
    assert length("corner") == pytest.approx(2)
    assert length(["corner", "hole"]) == pytest.approx(2 + np.pi / 2)
    assert length("x = 0") == pytest.approx(1)
    assert length("x = 1") == pytest.approx(1)
    assert length({"x": -0.5}) == pytest.approx(1.5)


def test_through_time():
    problem = Problem(
        **config(
            coordinates={"t": [0, 2], "x": [-1, 1], "y": [-1, 1]},
            equations="u_t = laplacian(u)",
            conditions={"rim": {"at": "hole", "equations": "u_n = 0"}, "start": {"at": "t = 0", "equations": "u = 0"}},
        )
    )
    rim, start = (one.places for one in problem.conditions)
    assert sum(place.measure for place in rim) == pytest.approx(np.pi)
    assert start[0].measure == pytest.approx(3 - np.pi / 16)
    points = condition_points(problem, problem.conditions[0], Sobol(conditions=64), 0, 0)
    np.testing.assert_allclose(np.linalg.norm(points.coordinates[:, 1:] - [-0.5, 0.5], axis=1), 0.25, rtol=1e-12)
    np.testing.assert_allclose(points.normals[:, 1:], ([-0.5, 0.5] - points.coordinates[:, 1:]) / 0.25, atol=1e-12)
    inside = equation_points(problem, Sobol(equations=512), 0, 0).coordinates
    assert len(inside) == 512
    assert problem.domain.contains(inside).all()


def test_regions_are_what_shapes_and_the_domain_have_in_common():
    regions = Problem(**config(names=("corner", "hole", "blob"), at=["boundary", "blob"])).regions
    assert list(regions) == ["blob"]
    assert regions["blob"].measure == pytest.approx(0.09 * np.pi)
    timed = Problem(
        **config(
            coordinates={"x": [-1, 1], "y": [-1, 1], "t": [0, 2]},
            domain="box - hole",
            at=["corner", "hole"],
            equations="u_t = 1",
        )
    )
    assert timed.regions["corner"].measure == pytest.approx(2.0)
    assert timed.regions["corner"].coordinates == ("x", "y", "t")


def test_a_shape_may_name_some_of_the_space_coordinates():
    shapes = {"pipe": {"disk": {"center": [0, 0], "radius": 1}, "in": ["y", "z"]}}
    problem = Problem(
        **config(
            coordinates={"x": [0, 4], "y": [-1, 1], "z": [-1, 1]},
            shapes=shapes,
            domain="pipe",
            conditions={
                "wall": {"at": "pipe", "equations": "u = 0"},
                "all": {"at": "boundary", "equations": "u = 0"},
                "inlet": {"at": "x = 0", "equations": "u_n = 0"},
            },
        )
    )
    wall, everything, inlet = (sum(place.measure for place in one.places) for one in problem.conditions)
    assert wall == pytest.approx(8 * np.pi)
    assert everything == pytest.approx(10 * np.pi)
    assert inlet == pytest.approx(np.pi)


@pytest.mark.parametrize(
    ("domain", "measure"),
    [
        ("corner + hole", 1 + np.pi / 16),
        ("box - (corner + hole)", 3 - np.pi / 16),
        ("hole + box & corner", 1 + np.pi / 16),
        ("(hole + box) & corner", 1.0),
        (" box-corner\n-hole ", 3 - np.pi / 16),
    ],
)
def test_closeness_of_operators(domain, measure):
    assert Problem(**config(domain=domain)).domain.measure == pytest.approx(measure)


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"domain": "box - "}, "domain", "the text ends where the name of a shape is needed"),
        ({"domain": ""}, "domain", "the text ends"),
        ({"domain": "box corner"}, "domain", "an operator is missing here: one of + - &"),
        ({"domain": "box - (corner"}, "domain", "this '(' is never closed"),
        ({"domain": "box - corner)"}, "domain", "this ')' closes nothing"),
        ({"domain": "box - * corner"}, "domain", "'*' cannot stand here"),
        ({"domain": "box | corner"}, "domain", "'|': a domain is made of names of shapes, +"),
        ({"domain": "(" * 30 + "box" + ")" * 30}, "domain", "brackets nested deeper than 20"),
        ({"domain": "+".join(["box"] * 51)}, "domain", "the text has 51 names; the most is 50"),
        ({"domain": "box" + " " * 2000}, "domain", "the text has 2003 characters"),
        ({"domain": "box + far", "names": ("far",)}, "domain", "the domain reaches from x = -1 to 6, beyond"),
        ({"domain": "box", "at": "far", "names": ("far",)}, "conditions.rim.at", "no part of the boundary of 'far'"),
        ({"domain": "box - corner"}, "shapes.hole", "is used nowhere"),
        ({"domain": "box", "conditions": {"hole": {"at": "box", "equations": "u = 0"}}}, "shapes.hole", "used nowhere"),
        ({"at": {"x": 0.5, "y": -0.5}}, "conditions.rim.at", "x = 0.5, y = -0.5 lies outside the domain"),
        (
            {"at": "corner", "conditions": {"rim": {"at": "z", "equations": "u = 0"}}},
            "conditions.rim.at",
            "there is no place 'z'; valid are boundary, corner, hole",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes, key, message):
    with pytest.raises(ProblemError) as caught:
        Problem(**config(**changes))
    assert message in {mistake.key: mistake.message for mistake in caught.value.mistakes}[key]


def test_the_place_of_a_mistake_in_the_expression():
    with pytest.raises(ProblemError) as caught:
        Problem(**config(domain="box - hole & corner"))
    assert caught.value.mistakes[0].position == len("box - hole ")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x", "t"], "there is no space coordinate 't'; valid are x, y"),
        (["y", "x"], "y, x: name each once, in the order of coordinates"),
        ([], "[] is not a list of coordinates: write [x, y]"),
    ],
)
def test_wrong_coordinates_of_a_shape(names, message):
    shapes = {"hole": SHAPES["hole"] | {"in": names}}
    with pytest.raises(ProblemError) as caught:
        Problem(**config(domain="box - hole", shapes=shapes))
    assert (caught.value.mistakes[0].key, caught.value.mistakes[0].message) == ("shapes.hole.in", message)
