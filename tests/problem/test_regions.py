"""Equations in parts of the domain, fields with a function in each, and conditions where parts meet."""

import re
from dataclasses import replace

import numpy as np
import pytest
import yaml

from pinnkit.language.calculus import Partial, symbol
from pinnkit.language.errors import Report
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.problem.unknowns import combined
from pinnkit.references.exact import Exact
from pinnkit.references.manufactured import manufacture
from pinnkit.references.table import Table
from pinnkit.runs.memory import parameters
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.settings import SAMPLERS
from pinnkit.settings import read_settings
from tests.conftest import ROOT, assembled
from tests.problem.two_materials import PLATE, ROD, refused, rod

LEFT, RIGHT = Partial("u.left", ("x",)), Partial("u.right", ("x",))
K1, K2 = symbol("k1"), symbol("k2")
X = symbol("x")


def test_a_field_means_its_function_of_the_part_where_an_equation_holds():
    problem = rod()
    assert [(one.name, one.unknown, one.part) for one in problem.fields] == [
        ("u.left", "u", "left"),
        ("u.right", "u", "right"),
    ]
    left, right = problem.equations
    assert (left.region, left.residual) == ("left", K1 * LEFT.diff(X, 2) + 2)
    assert (right.region, right.residual) == ("right", K2 * RIGHT.diff(X, 2) + 2)


def test_an_equation_without_a_region_becomes_one_for_each_part():
    problem = rod(equations={"poisson": {"equation": "-u_xx = x*u", "weight": "1 + u^2"}}, exact={})
    assert [(one.name, one.region, one.origin) for one in problem.equations] == [
        ("poisson_left", "left", "poisson"),
        ("poisson_right", "right", "poisson"),
    ]
    assert [one.residual for one in problem.equations] == [-one.diff(X, 2) - X * one for one in (LEFT, RIGHT)]
    assert [one.weight for one in problem.equations] == [1 + LEFT**2, 1 + RIGHT**2]


def test_a_condition_has_the_functions_of_the_parts_that_touch_it_and_an_interface_those_that_it_names():
    found = {one.name: one for one in rod().conditions}
    assert [(name, one.sides, one.origin) for name, one in found.items()] == [
        ("ends_left", ("left",), "ends"),
        ("ends_right", ("right",), "ends"),
        ("contact", ("left", "right"), "contact"),
    ]
    assert [(place.fixed, found["ends_left"].equations[0].residual) for place in found["ends_left"].places] == [
        ({"x": -1.0}, LEFT)
    ]
    assert [place.fixed for place in found["contact"].places] == [{"x": 0.0}]
    normal = symbol("n_x")
    assert found["contact"].equations[1].residual == K1 * normal * LEFT.diff(X) - K2 * normal * RIGHT.diff(X)


@pytest.mark.parametrize(
    ("words", "bump"), [(ROD, "where(x < 0, x + x^2, 0)"), (PLATE, "where(x^2 + y^2 < 1/4, x^2 + y^2 - 1/4, 0)")]
)
def test_the_closed_form_solves_each_part_and_both_sides_of_the_interface_and_a_perturbed_one_does_not(words, bump):
    """The bump is zero where the parts meet, and has a slope there on one side."""
    report = check(Problem(**words))
    assert (report.mistakes, report.warnings) == ([], [])
    found = refused(words, exact={"u": f"{words['exact']['u']} + {bump}/10"})["exact"]
    assert f"does not satisfy the equation '{next(iter(words['equations']))}'" in found
    assert "the residual is" in found
    assert "does not satisfy the condition 'contact'" in found


def test_the_closed_form_of_a_part_is_its_branch_there():
    exact = Problem(**PLATE).exact
    assert exact["u.inner"] == X / 2
    assert not exact["u.outer"].has(symbol("nothing"))
    assert exact["u.outer"].subs({X: 1, symbol("y"): 0}) == pytest.approx(0.875)


def test_the_whole_field_has_the_value_of_the_part_in_which_a_point_lies():
    problem, x = rod(), np.linspace(-1, 1, 9)
    found = combined(problem, {"u.left": np.full(9, -1.0), "u.right": np.full(9, 1.0)}, {"x": x})["u"]
    assert found.tolist() == np.where(x <= 0, -1.0, 1.0).tolist()
    np.testing.assert_allclose(
        Exact(problem)({"x": x})["u"], 0.4 - (x**2 + 0.6 * x) / np.where(x < 0, 1, 4), rtol=1e-14
    )


def test_the_points_of_an_equation_lie_in_its_region_in_proportion_to_its_measure_and_at_least_an_eighth():
    problem, sampling = Problem(**PLATE), SAMPLERS["sobol"]()
    inner = equation_points(problem, sampling, 0, 0, group="equations.inner").coordinates
    outer = equation_points(problem, sampling, 0, 0, group="equations.outer").coordinates
    assert len(inner) == round(2048 * np.pi / 16)
    assert len(inner) + len(outer) == 2048
    assert np.linalg.norm(inner, axis=1).max() <= 0.5 <= np.linalg.norm(outer, axis=1).min()
    shapes = {"inner": {"disk": {"center": [0, 0], "radius": 0.05}}, "outer": "box - inner"}
    small = Problem(**{**PLATE, "shapes": shapes, "exact": {}})
    assert len(equation_points(small, sampling, 0, 0, group="equations.inner")) == 256
    again = equation_points(problem, sampling, 0, 0, group="equations.inner").coordinates
    assert np.array_equal(inner, again)


def test_interface_points_have_the_normal_out_of_the_shape():
    problem = Problem(**PLATE)
    contact = next(one for one in problem.conditions if one.name == "contact")
    points = condition_points(problem, contact, SAMPLERS["sobol"](), 0, 0)
    np.testing.assert_allclose(np.linalg.norm(points.coordinates, axis=1), 0.5, rtol=1e-12)
    np.testing.assert_allclose(points.normals, 2 * points.coordinates, atol=1e-12)


def test_an_interface_is_where_both_parts_meet():
    """Three strips: the rim of the middle one touches left on one side and right on the other."""
    strips = {
        name: {"box": {"lower": [lower, 0], "upper": [lower + 1, 1]}}
        for name, lower in zip("abc", range(3), strict=True)
    }
    problem = Problem(
        coordinates={"x": [0, 3], "y": [0, 1]},
        shapes=strips,
        fields={"u": {"parts": ["a", "b", "c"]}},
        equations="laplacian(u) = 0",
        conditions={"edge": {"at": "box", "equations": "u = x"}, "right": {"at": "b", "equations": "u.b = u.c"}},
    )
    points = condition_points(problem, problem.conditions[-1], SAMPLERS["sobol"](), 0, 0).coordinates
    assert len(points) == 400
    assert set(points[:, 0]) == {2.0}
    names = [one.name for one in problem.conditions]
    assert names == ["edge_a", "edge_b", "edge_c", "right"]
    middle = condition_points(problem, problem.conditions[1], SAMPLERS["sobol"](), 0, 0).coordinates
    assert (middle[:, 0].min() >= 1.0, middle[:, 0].max() <= 2.0, set(middle[:, 1])) == (True, True, {0.0, 1.0})


def test_an_initial_condition_of_a_field_with_parts_and_rows_of_data_are_shared_among_the_parts():
    problem = rod(
        coordinates={"x": [-1, 1], "t": [0, 1]},
        equations="u_t = u_xx",
        exact={},
        conditions={
            "start": {"at": "t = 0", "equations": "u = x"},
            "seen": {"data": {"x": [-0.5, 0.25, 0.5], "t": [0, 0, 1], "u": [1, 2, 3]}},
        },
    )
    found = {one.name: one for one in problem.conditions}
    assert list(found) == ["start_left", "start_right", "seen_left", "seen_right"]
    points = condition_points(problem, found["start_left"], SAMPLERS["sobol"](), 0, 0).coordinates
    assert (points[:, 0].max() <= 0.0, set(points[:, 1])) == (True, {0.0})
    assert found["seen_right"].data["u_data"].tolist() == [2, 3]
    assert found["seen_right"].equations[0].residual == Partial("u.right", ("x", "t")) - symbol("u_data")


def test_a_field_may_live_in_one_part_alone():
    problem = rod(
        fields={"u": ["x"], "p": {"parts": ["left"]}},
        equations={"heat": "u_xx = 0", "flow": {"equation": "p_xx = u", "in": "left"}},
        conditions={"all": {"at": "boundary", "equations": "u = 1"}, "in": {"at": "boundary", "equations": "p = 0"}},
        shapes={"left": ROD["shapes"]["left"]},
        exact={},
    )
    assert [one.fixed for one in problem.conditions[1].places] == [{"x": -1.0}]
    values = {"u": np.ones(2), "p.left": np.ones(2)}
    assert np.isnan(combined(problem, values, {"x": np.array([-0.5, 0.5])})["p"]).tolist() == [False, True]


def test_a_manufactured_solution_may_bend_at_the_interface():
    made = manufacture(rod(exact={}), {"u": "abs(x) + x^2"})
    assert (made.exact["u.left"], made.exact["u.right"]) == (-X + X**2, X + X**2)
    assert check(made).mistakes == []
    assert made.equations[0].residual == K1 * LEFT.diff(X, 2) - 2 * K1


def test_a_coefficient_may_jump_at_the_rim_of_a_region():
    text = "diff(where(x < 0, k1, k2)*u_x, x) = -2"
    problem = rod(equations={name: {"equation": text, "in": name} for name in ("left", "right")})
    assert check(problem).mistakes == []


def test_the_example_of_the_documentation_is_right():
    text = (ROOT / "docs" / "language" / "regions_and_interfaces.md").read_text()
    words = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL).group(1))
    report = check(Problem(**words))
    assert (report.mistakes, report.warnings) == ([], [])


def test_the_numbers_of_all_networks_are_counted():
    module, _ = assembled(ROD, {"network": {"width": 7, "depth": 2}})
    built = sum(one.numel() for one in module.network.parameters())
    network = read_settings({"network": {"width": 7, "depth": 2}}, Report()).network
    assert parameters(rod(), network) == parameters(rod(), replace(network, separate=True)) == built


def test_a_table_of_the_whole_field_is_compared_with_the_conditions_of_each_part(tmp_path):
    x = np.linspace(-1, 1, 101)
    u = 0.4 - (x**2 + 0.6 * x) / np.where(x < 0, 1, 4)
    np.savez(tmp_path / "good.npz", x=x, u=u)
    np.savez(tmp_path / "bad.npz", x=x, u=u + np.where(x > 0, 0.3, 0))  # it jumps, which is no mistake, and ends at 0.3
    assert Table(rod(exact={}), tmp_path / "good.npz").warnings == []
    with pytest.raises(TableError, match="violate the condition 'ends_right'"):
        Table(rod(exact={}), tmp_path / "bad.npz")


def test_an_integral_is_over_the_function_of_each_part():
    conditions = {
        **ROD["conditions"],
        "mass": {"equations": "integral(u, domain) = 73/120"},
        "one": {"equations": "integral(k1*u_x, left) = 2/5"},
        "line": {"equations": "integral(u.left, x, -1, 0) = 11/30"},
    }
    problem = rod(conditions=conditions)
    found = {one.name: str(one.equations[0].residual) for one in problem.conditions}
    assert found["mass"] == "integral(u.left, left) + integral(u.right, right) - 73/120"
    assert found["one"] == "integral(k1*u.left_x, left) - 2/5"
    report = check(problem)
    assert (report.mistakes, report.warnings) == ([], [])
    wrong = {**conditions, "mass": {"equations": "integral(u, domain) = 1"}}
    assert "the condition 'mass'" in refused(ROD, conditions=wrong)["exact"]
