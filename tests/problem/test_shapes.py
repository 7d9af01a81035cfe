"""Domains that are no box: reading them, their conditions, and what is refused."""

import numpy as np
import pytest

from pinnkit.domains.shapes.disk import Disk
from pinnkit.language.calculus import normal_symbol, symbol
from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.places import samples
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol
from tests.conftest import ROOT

PART = {"part": {"disk": {"center": [0, 0], "radius": 1}}}


def config(**changes):
    """-laplacian(u) = 4 on the unit disk."""
    return {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "shapes": PART,
        "domain": "part",
        "fields": ["u"],
        "equations": "-laplacian(u) = 4",
        "conditions": {"rim": {"at": "part", "equations": "u = 0"}},
        "exact": {"u": "1 - x^2 - y^2"},
    } | changes


def mistakes(**changes):
    with pytest.raises(ProblemError) as caught:
        Problem(**config(**changes))
    return {mistake.key: mistake.message for mistake in caught.value.mistakes}


@pytest.mark.parametrize("at", ["part", "boundary", ["part"]])
def test_the_rim_is_the_boundary(at):
    problem = Problem(**config(conditions={"rim": {"at": at, "equations": ["u = 0", "u_n = -2"]}}))
    (place,) = problem.conditions[0].places
    assert place == Disk(("x", "y"), (0.0, 0.0), 1.0).boundary(("x", "y"))[0]
    assert not check(problem).mistakes
    points = condition_points(problem, problem.conditions[0], Sobol(conditions=64), 0, 0)
    np.testing.assert_allclose(np.linalg.norm(points.coordinates, axis=1), 1, rtol=1e-14)


def test_points_of_equations_lie_in_the_disk_uniformly():
    points = equation_points(Problem(**config()), Sobol(equations=4096), 0, 0).coordinates
    assert np.sum(points**2, axis=1).max() <= 1
    assert np.sum(points**2, axis=1).mean() == pytest.approx(0.5, rel=1e-3)


def test_wrong_exact_solutions_are_found_on_the_rim():
    wrong = check(Problem(**config(exact={"u": "1 - x^2 - y^2 + x"})))
    assert [mistake.message for mistake in wrong.mistakes if "'rim'" in mistake.message]
    flux = {"rim": {"at": "part", "equations": "u_n = 2"}}
    assert "'rim'" in check(Problem(**config(conditions=flux))).mistakes[0].message


def test_parameters_shape_the_domain():
    shapes = {"part": {"disk": {"center": ["shift", "-shift"], "radius": "2*size"}}}
    problem = Problem(
        **config(
            coordinates={"x": [-2, 2], "y": [-2, 2]}, shapes=shapes, parameters={"shift": 0.5, "size": 0.25}, exact={}
        )
    )
    assert problem.domain == Disk(("x", "y"), (0.5, -0.5), 0.5)
    np.testing.assert_array_equal(problem.domain.lower, [0.0, -1.0])


TIMED = {
    "coordinates": {"t": [0, 2], "x": [-1, 1], "y": [-1, 1]},
    "equations": "u_t = laplacian(u) + 1",
    "conditions": {"start": {"at": "t = 0", "equations": "u = 0"}, "rim": {"at": "boundary", "equations": "u_n = 0"}},
    "exact": {"u": "t"},
}


def test_a_disk_through_time():
    problem = Problem(**config(**TIMED))
    assert not check(problem).mistakes
    start, rim = (place for condition in problem.conditions for place in condition.places)
    assert (problem.domain.dimension, start.dimension, rim.dimension) == (3, 2, 2)
    assert start.fixed == {"t": 0.0}
    (read,) = samples(problem, problem.conditions[1])
    assert np.all(read[normal_symbol("t")] == 0)
    np.testing.assert_allclose(read[normal_symbol("x")], read[symbol("x")], rtol=1e-13)


def test_time_may_be_periodic_and_x_may_not():
    rim = {"rim": {"at": "part", "equations": "u = 0"}}
    Problem(**config(**TIMED | {"conditions": rim, "exact": {}}, periodic="t"))
    assert mistakes(periodic=["x"]) == {
        "periodic": "x has no two opposite ends in the domain: (x, y) in the disk of radius 1 about (0, 0)"
    }


def disk(**settings):
    return {"shapes": {"part": {"disk": {"center": [0, 0], "radius": 1} | settings}}}


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"shapes": [1]}, "shapes", "is not a mapping"),
        ({"shapes": {"part": {"disc": {}}}}, "shapes.part", "unknown shape 'disc'; write disk"),
        ({"shapes": {"part": "disk"}}, "shapes.part", "'disk' is no shape: write {disk: {center: [0, 0], radius: 1}}"),
        ({"shapes": {"part": {"disk": 1}}}, "shapes.part.disk", "1 is not a mapping of settings: write {disk: {center"),
        ({"shapes": {"part": {"disk": {"radius": 1}}}}, "shapes.part.disk.center", "is missing"),
        (disk(radii=1), "shapes.part.disk.radii", "unknown key 'radii'; did you mean 'radius'?"),
        (disk(radius=-1), "shapes.part.disk.radius", "is -1: a number above zero is needed"),
        (disk(radius="size"), "shapes.part.disk.radius", "unknown name 'size'"),
        (disk(center=1), "shapes.part.disk.center", "1 is not a list of numbers: write [0, 0]"),
        (disk(center=[1]), "shapes.part.disk.center", "has 1 numbers: write one for each of x, y"),
        (disk(radius=2), "domain", "reaches from x = -2 to 2, beyond the range [-1, 1] of x"),
        ({"shapes": PART | {"hole": PART["part"]}}, "shapes.hole", "is used nowhere: write domain: hole"),
        ({"shapes": {"u": PART["part"]}, "domain": "u"}, "shapes.u", "'u' is declared twice"),
        ({"shapes": {"box": PART["part"]}, "domain": "box"}, "shapes.box", "'box' has a meaning of its own"),
        ({"domain": 3}, "domain", "3 is no name of a shape: write one of part, box"),
        ({"conditions": {"rim": {"at": "parts", "equations": "u = 0"}}}, "conditions.rim.at", "did you mean 'part'?"),
        ({"conditions": {"rim": {"at": {"x": 0.9, "y": 0.9}, "equations": "u = 0"}}}, "conditions.rim.at", "outside"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes, key, message):
    found = mistakes(**changes)
    assert message in found[key]


def test_a_disk_needs_two_space_coordinates():
    found = mistakes(coordinates={"x": [-1, 1], "t": [0, 1]}, equations="u_t = u", exact={})
    assert found["shapes.part.disk"] == "a disk lies in a plane of two space coordinates; here they are x"


def test_a_learned_parameter_cannot_shape_the_domain():
    found = mistakes(**disk(radius="size"), parameters={"size": {"learn": 1.0}}, equations="-laplacian(u) = 4*size")
    assert "size is learned" in found["shapes.part.disk.radius"]


def test_data_outside_the_disk_are_refused():
    rows = {"x": [0.1, 0.8], "y": [0.1, 0.8], "u": [0.98, 0.0]}
    found = mistakes(conditions={"samples": {"data": rows}}, exact={})
    assert found["conditions.samples.data"].startswith("row 2 has x = 0.8, y = 0.8, outside the domain: (x, y) in")


def test_a_place_of_evaluation_outside_the_disk():
    shifted = Problem(**config(equations="u(x=x+0.1) = u", exact={}))
    assert "outside the domain for" in check(shifted).warnings[-1].message
    mirrored = Problem(**config(equations="u(x=-x) = u", exact={}))
    assert not any("outside" in warning.message for warning in check(mirrored).warnings)


def test_the_box_by_name_is_the_default():
    edge = {name: {"edge": {"at": name, "equations": "u = 0"}} for name in ("box", "boundary")}
    one = Problem(**config(domain="box", shapes={}, conditions=edge["box"]))
    other = Problem(**config(domain=None, shapes=None, conditions=edge["boundary"]))
    assert one.domain == other.domain
    assert one.conditions == other.conditions
    assert len(one.conditions[0].places) == 4


def test_boxes_are_named_where_domains_are_made_alone():
    made = {f"pinnkit/problem/{name}.py" for name in ("declarations", "geometry", "narrowed_time", "ranges", "shapes")}
    made |= {f"pinnkit/references/fem/{name}.py" for name in ("cad", "refinement")}  # which draw them
    named = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pinnkit").rglob("*.py")
        if "pinnkit.domains.box" in path.read_text(encoding="utf-8")
    }
    assert {path for path in named if not path.startswith("pinnkit/domains/")} == made
