"""The roles of coordinates, and that they are decided in one place."""

import ast

import pytest

from pinnkit.problem.coordinates import Coordinate, Coordinates, Role
from pinnkit.problem.problem import Problem
from tests.conftest import ROOT

ONE_PLACE = ROOT / "pinnkit" / "problem" / "coordinates.py"


def test_each_coordinate_has_one_role():
    axes = Coordinates.named(["t", "x", "nu", "y"], parameters=["nu"])
    assert axes.axes[:3] == (Coordinate("t", Role.TIME), Coordinate("x", Role.SPACE), Coordinate("nu", Role.PARAMETER))
    assert (axes.names, axes.space, axes.time, axes.parameters) == (("t", "x", "nu", "y"), ("x", "y"), "t", ("nu",))


def test_a_parameter_is_neither_space_nor_time():
    axes = Coordinates.named(["x", "t"], parameters=["t"])
    assert (axes.space, axes.time, axes.parameters) == (("x",), None, ("t",))


@pytest.mark.parametrize(("names", "time", "steady"), [("xt", "t", False), ("t", "t", False), ("xy", None, True)])
def test_a_problem_knows_its_roles(names, time, steady):
    problem = Problem(coordinates={key: [0, 1] for key in names}, fields=["u"], equations=f"u_{names[0]} = u")
    assert (problem.time, problem.steady) == (time, steady)
    assert problem.space == tuple(name for name in names if name != time)


def comparisons(tree):
    """The lines on which something is compared with the text "t", or the constant that holds it is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            parts += [one for part in parts if isinstance(part, ast.Tuple | ast.List | ast.Set) for one in part.elts]
            if any(isinstance(part, ast.Constant) and part.value == "t" for part in parts):
                yield node.lineno
        elif isinstance(node, ast.Name | ast.alias) and getattr(node, "id", getattr(node, "name", "")) == "TIME":
            yield node.lineno
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("count", "get"):
            yield from [node.lineno for one in node.args if isinstance(one, ast.Constant) and one.value == "t"]


@pytest.mark.parametrize("text", ['name == "t"', '"t" in names', 'name in ("t", "s")', "TIME", 'order.count("t")'])
def test_a_comparison_of_names_is_found(text):
    assert list(comparisons(ast.parse(text))) == [1]


def test_no_other_module_compares_names_with_that_of_time():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "pinnkit").rglob("*.py"))
        if path != ONE_PLACE and "peers" not in path.parts
        for line in comparisons(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
