"""Fields evaluated outside the domain are told."""

from __future__ import annotations

import pytest

from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem


def checked(equation: str, **words):
    words = {"coordinates": {"x": [0, 1], "t": [0, 4]}, "fields": ["u"], "conditions": {}, **words}
    return check(Problem(**words, equations={"delay": equation}))


@pytest.mark.parametrize(
    ("equation", "told"),
    [
        ("u_t = u(x=17)", "evaluates u(x=17) at x = 17, outside the domain [0, 1], where nothing trains the network"),
        ("u_t = u_xx(x=-0.001)", "evaluates u_xx(x=-0.001) at x = -0.001, outside"),
        ("u_t = u(x=1/2, t=2*a)", "evaluates u(x=1/2, t=2*a) at t = 6, outside the domain [0, 4]"),
        ("u_t = u(t=log(1 - a))", "evaluates u(t=log(1 - a)) at t = nan, outside"),
    ],
)
def test_a_constant_place_outside_the_domain_is_a_mistake(equation, told):
    (mistake,) = checked(equation, parameters={"a": 3}).mistakes
    assert mistake.key == "equations.delay"
    assert mistake.message.startswith(told)


@pytest.mark.parametrize(
    ("equation", "share"),
    [
        ("u_t = u(t=t - 1)", 25),
        ("u_t = u(x=x + 0.5, t=0)", 50),
        ("u_t = u(x=2*x - 1)", 50),
        ("u_t = u(t=t - b)", 12.5),
        ("u_t = where(t < 0.5, 1, u(t=t - 1))", 12.5),
        ("u_t = where(u < 0.5, 1, u(t=t - 1))", 25),
        ("u_t = where(u(t=t - 1) < 0.5, 1, 2)", 25),
    ],
)
def test_a_place_that_leaves_the_domain_is_a_warning_with_its_share(equation, share):
    report = checked(equation, parameters={"b": {"learn": 0.5}})
    assert [one for one in report.mistakes if one.key.startswith("equations")] == []
    (warning,) = [one for one in report.warnings if one.key == "equations.delay"]
    told, _, rest = warning.message.partition(" % of its points, such as ")
    assert float(told.split(" for ")[1]) == pytest.approx(share, abs=10)
    assert rest.count(" = ") == 3
    assert rest.endswith(": nothing trains the network there")


def test_a_place_outside_from_every_point_is_a_mistake():
    (mistake,) = checked("u_t = u(t=t - 5)").mistakes
    assert mistake.message.startswith("evaluates u(t=t - 5) outside the domain [0, 4] from every point, such as t = ")


@pytest.mark.parametrize(
    "words",
    [
        {"equation": "u_t = u(x=1) - u(x=0, t=4)"},
        {"equation": "u_t = u(x=1 - x)"},
        {"equation": "u_t = u(x=x + 0.5)", "periodic": ["x"]},
        {"equation": "u_t = u(x=0.1*10/3*3)"},  # rounding
        {"equation": "u_t = -where(t < 1, 1, u(t=t - 1))"},  # asked for where it lies inside alone
        {"equation": "where(t > 1, u_t + u(t=t-1), u - 1) = 0"},
        {"equation": {"equation": "u_t = u(t=t - 1)", "weight": "where(t < 1, 0, 1)"}},
        {"equation": "u_t = u", "conditions": {"ring": {"at": "x = 0", "equations": "u(x=x) = u(x=x + 1)"}}},
        {"equation": "u_t = u", "conditions": {"late": {"at": "x = 0", "where": "t > 1", "equations": "u = u(t=t-1)"}}},
    ],
)
def test_places_in_the_domain_are_not_told(words):
    report = checked(**words)
    assert report.mistakes == []
    assert not [one for one in report.warnings if "evaluates" in one.message]


DISK = {"coordinates": {"x": [-1, 1], "y": [-1, 1]}, "shapes": {"plate": {"disk": {"center": [0, 0], "radius": 1}}}}
RIM = {"rim": {"at": "boundary", "equations": "u = 0"}}


def on_a_disk(equation):
    report = checked(equation, **DISK, domain="plate", fields={"u": ["x", "y"], "v": ["x"]}, conditions=RIM)
    return [[one.message for one in ones if "evaluates" in one.message] for ones in (report.mistakes, report.warnings)]


@pytest.mark.parametrize("equation", ["laplacian(u) = v(x=1)", "laplacian(u) = u(x=0.6, y=0.8)", "u_x = u(x=-x, y=-y)"])
def test_a_field_of_fewer_coordinates_is_judged_by_their_ranges_on_a_disk(equation):
    assert on_a_disk(equation) == [[], []]


def test_a_place_outside_a_disk_is_told_once():
    (told,), warnings = on_a_disk("laplacian(u) = u(x=0.8, y=0.8)")
    assert told == "evaluates u(x=0.8, y=0.8) at x = 0.8, y = 0.8, outside the domain, where nothing trains the network"
    assert warnings == []
    (told,), _ = on_a_disk("laplacian(u) = v(x=2)")
    assert told.startswith("evaluates v(x=2) at x = 2, outside the domain [-1, 1], where")
    _, (warning,) = on_a_disk("laplacian(u) = u(x=x + 0.5, y=y + 0.5)")
    assert warning.startswith("evaluates u(x=x + 0.5, y=y + 0.5) outside the domain for ")
