"""Level sets in problem files: as domains, cut by the box, put together, and what is refused."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol

BLOB = "x^2 + y^4 - 0.04"


def config(**changes):
    return {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "shapes": {"blob": {"level_set": BLOB}},
        "domain": "blob",
        "fields": ["u"],
        "equations": "laplacian(u) = 2 + 12*y^2",
        "conditions": {"rim": {"at": "blob", "equations": "u = 0"}},
        "exact": {"u": BLOB},
    } | changes


def mistakes(**changes):
    with pytest.raises(ProblemError) as caught:
        Problem(**config(**changes))
    return {mistake.key: mistake.message for mistake in caught.value.mistakes}


def level(points):
    return points[:, 0] ** 2 + points[:, 1] ** 4 - 0.04


def test_a_bare_text_is_a_domain():
    problem = Problem(**config())
    assert not check(problem).mistakes
    inside = equation_points(problem, Sobol(equations=1024), 0, 0).coordinates
    assert len(inside) == 1024
    assert level(inside).max() < 0
    rim = condition_points(problem, problem.conditions[0], Sobol(conditions=256), 0, 0)
    np.testing.assert_allclose(level(rim.coordinates), 0, atol=1e-16)
    gradient = np.stack([2 * rim.coordinates[:, 0], 4 * rim.coordinates[:, 1] ** 3], axis=1)
    np.testing.assert_allclose(rim.normals, gradient / np.linalg.norm(gradient, axis=1, keepdims=True), atol=1e-12)
    assert Problem(**config()).domain == problem.domain
    assert check(Problem(**config(exact={"u": f"{BLOB} + x"}))).mistakes


def test_parameters_and_time():
    problem = Problem(
        **config(
            coordinates={"x": [-1, 1], "t": [0, 2], "y": [-1, 1]},
            shapes={"blob": {"level_set": "x^2 + y^2 - square"}},
            parameters={"r": 0.5},
            define={"square": "r^2"},
            equations="u_t = laplacian(u)",
            conditions={
                "rim": {"at": "boundary", "equations": "u_n = 0"},
                "start": {"at": "t = 0", "equations": "u = 1"},
            },
            exact={"u": "1"},
        )
    )
    assert not check(problem).mistakes
    assert problem.domain.measure == pytest.approx(np.pi / 2, rel=1e-9)
    rim = condition_points(problem, problem.conditions[0], Sobol(conditions=256), 0, 0)
    expected = np.stack([2 * rim.coordinates[:, 0], np.zeros(256), 2 * rim.coordinates[:, 2]], axis=1)
    np.testing.assert_allclose(rim.normals, expected, atol=1e-12)
    symbols = {str(one) for one in problem.regions["blob"].factors[0].distance_expression.free_symbols}
    assert symbols == {"x", "y"}


def test_a_half_space_is_cut_by_the_box():
    """Its own boundary is a line; that of the domain has the faces of the box too."""
    conditions = {"all": {"at": "boundary", "equations": "u = 0"}, "line": {"at": "left", "equations": "u_n = 0"}}
    words = {"shapes": {"left": {"level_set": "x"}}, "conditions": conditions, "exact": {}}
    problem = Problem(**config(domain="left", **words))
    assert problem.domain.measure == pytest.approx(2, rel=1e-12)
    whole, line = ([place.measure for place in one.places] for one in problem.conditions)
    assert sum(whole) == pytest.approx(6, rel=1e-9)
    assert line == [pytest.approx(2, rel=1e-9)]
    points = condition_points(problem, problem.conditions[1], Sobol(conditions=64), 0, 0)
    assert np.all(points.coordinates[:, 0] == 0)
    np.testing.assert_array_equal(points.normals, np.tile([1.0, 0.0], (64, 1)))
    interface = Problem(**config(domain="box", **words))
    (place,) = interface.conditions[1].places
    assert place.measure == pytest.approx(2, rel=1e-9)
    assert interface.regions["left"].measure == pytest.approx(2, rel=1e-12)


def test_the_example_of_the_design():
    shapes = {
        "hole": {"disk": {"center": [0.3, 0.3], "radius": 0.1}},
        "blob": {"level_set": BLOB},
        "left": {"level_set": "x"},
    }
    rim = {"rim": {"at": "boundary", "equations": "u = 0"}}
    problem = Problem(**config(shapes=shapes, domain="box - hole - (blob & left)", conditions=rim, exact={}))
    blob = Problem(**config()).domain
    assert problem.domain.measure == pytest.approx(4 - np.pi / 100 - blob.measure / 2, rel=1e-6)
    length = blob.boundary(("x", "y"))[0].measure / 2 + 2 * np.sqrt(0.2) + np.pi / 5 + 8
    assert sum(place.measure for place in problem.conditions[0].places) == pytest.approx(length, rel=1e-5)


def test_a_learned_shape_a_moving_shape_and_others_are_refused():
    def refused(text, **changes):
        found = mistakes(shapes={"blob": {"level_set": text}}, **changes)
        return found["shapes.blob.level_set"]

    assert refused("x^2 - y^2").startswith("its gradient vanishes at x = ")
    space = {"coordinates": {"x": [-1, 1], "y": [-1, 1], "z": [-1, 1]}, "exact": {}}
    assert refused("x^2 + y^2 + z^2 - 1e-40", **space).endswith(" alone, in a part too small for points")
    assert refused("1e200*x") == "is -1e+200 at x = -1, y = -1, beyond 1e+50: divide it by a constant"
    learned = {"parameters": {"k": {"learn": 0.1}}, "equations": "laplacian(u) = k"}
    assert refused("x^2 + y^2 - k", **learned) == "k is learned, so it cannot shape the domain"
    rule = "a level set is written in x, y and fixed parameters"
    assert refused("x^2 + y^2 - u") == f"holds u: {rule}"
    timed = {"coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]}, "equations": "u_t = 1"}
    assert refused("x^2 + y^2 - t", **timed) == f"holds t: {rule}"
    assert "is no text: write where the shape is negative" in refused({"radius": 1})
    assert refused("sign(x)").startswith("has no gradient: ")
    assert "unknown name 'z'" in refused("x + z")


def test_the_boundary_of_a_level_set_in_four_dimensions_is_refused():
    ranges = dict.fromkeys("wxyz", (-1, 1))
    words = {
        "coordinates": ranges, "shapes": {"blob": {"level_set": "w^2 + x^2 + y^2 + z^2 - 1/2"}},
        "equations": "laplacian(u) = 8", "exact": {},
    }  # fmt: skip
    found = mistakes(**words, conditions={"rim": {"at": "boundary", "equations": "u = 0"}})
    assert found["conditions.rim.at"].startswith("there are no points of the boundary of the domain")
    inside = Problem(**config(**words, conditions={"middle": {"at": dict.fromkeys("wxyz", 0), "equations": "u = 0"}}))
    assert not check(inside).mistakes
