"""Closed forms, tables and manufactured solutions, and the choice of a reference."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.language.evaluate import Program
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.references.choose import choose
from pinnkit.references.exact import Exact, exact_parameters
from pinnkit.references.manufactured import manufacture
from pinnkit.references.shipped_samples import (
    HESSIAN_HALF,
    burgers_samples,
    csv_text,
    gradient_samples,
    heat_samples,
    shipped_samples,
)
from pinnkit.references.shipped_tables import burgers, burgers_at
from pinnkit.references.table import Table


def meshes():
    x, t = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(0, 1, 4), indexing="ij")
    return {"x": x, "t": t}


def test_exact_is_the_closed_form(heat_words):
    exact = Exact(Problem(**heat_words))
    grid = meshes()
    expected = np.exp(-0.1 * np.pi**2 * grid["t"]) * np.sin(np.pi * grid["x"])
    np.testing.assert_allclose(exact(grid)["u"], expected, rtol=1e-14, atol=1e-16)


def test_a_learned_parameter_takes_its_exact_value(heat_words):
    heat_words["parameters"] = {"alpha": {"learn": 0.5}}
    heat_words["exact"]["alpha"] = "1/10"
    problem = Problem(**heat_words)
    assert exact_parameters(problem) == {"alpha": 0.1}
    plain = {**heat_words, "parameters": {"alpha": 0.1}, "exact": {"u": heat_words["exact"]["u"]}}
    np.testing.assert_array_equal(Exact(problem)(meshes())["u"], Exact(Problem(**plain))(meshes())["u"])


@pytest.mark.parametrize("form", ["axes", "rows"])
def test_a_table_is_known_at_its_own_points(form, heat_words, tmp_path):
    grid = meshes()
    values = np.sin(np.pi * grid["x"]) * (1 + grid["t"])
    if form == "axes":
        np.savez(tmp_path / "u.npz", x=grid["x"][:, 0], t=grid["t"][0], u=values)
    else:
        np.savez(tmp_path / "u.npz", x=grid["x"].ravel(), t=grid["t"].ravel(), u=values.ravel())
    table = Table(Problem(**heat_words), tmp_path / "u.npz")
    np.testing.assert_array_equal(np.ravel(table(table.grid)["u"]), values.ravel())
    np.testing.assert_array_equal(np.ravel(table.grid["t"]), grid["t"].ravel())
    with pytest.raises(ValueError, match="own points"):
        table({"x": grid["x"] + 0.1, "t": grid["t"]})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3), "u": np.zeros(3)}, "no column t"),
        ({"x": np.zeros(3), "t": np.zeros(3), "v": np.zeros(3)}, r"no column for any field \(u\)"),
        ({"x": np.zeros(3), "t": np.zeros(2), "u": np.zeros((2, 3))}, r"u has shape \(2, 3\)"),
        ({"x": np.zeros(3), "t": np.zeros(3), "u": np.array([1, np.nan, 2])}, "column u, entry 2 is nan"),
    ],
)
def test_a_wrong_table_is_refused(arrays, message, heat_words, tmp_path):
    np.savez(tmp_path / "u.npz", **arrays)
    with pytest.raises(TableError, match=message):
        Table(Problem(**heat_words), tmp_path / "u.npz")


def test_the_reference_is_chosen_by_wish_then_by_the_problem(heat_words, tmp_path):
    np.savez(tmp_path / "u.npz", x=np.zeros(2), t=np.zeros(2), u=np.zeros(2))
    with_table = Problem(**heat_words, reference="u.npz", folder=tmp_path)
    assert choose(with_table).name == "exact"
    assert choose(with_table, "u.npz").name == "table u.npz"
    assert choose(with_table, "spectral").name.startswith("spectral")
    del heat_words["exact"]
    assert choose(Problem(**heat_words, reference="u.npz", folder=tmp_path)).name == "table u.npz"
    assert choose(Problem(**heat_words)) is None
    with pytest.raises(ProblemError, match="has no exact solution"):
        choose(Problem(**heat_words), "exact")
    with pytest.raises(ProblemError, match=r"reference: there is no file '.*nowhere.npz'"):
        choose(Problem(**heat_words), "nowhere.npz")


def test_a_manufactured_solution_satisfies_what_it_makes_and_nothing_else_does(heat_words):
    original = Problem(**heat_words)
    made = manufacture(original, {"u": "cos(x)*exp(t) + alpha"})
    assert check(made).mistakes == []
    wrong = made.replace(exact=original.exact)
    told = [str(mistake) for mistake in check(wrong).mistakes]
    assert len(told) == 3  # the equation and both conditions got a source
    assert "the equation 'heat'" in told[0]


@pytest.mark.parametrize(
    ("solution", "message"),
    [
        ({"v": "x"}, "there is no field 'v'"),
        ({}, "gives no solution for the field 'u'"),
        ({"u": "y"}, "unknown name 'y'"),
    ],
)
def test_a_wrong_manufactured_solution_is_refused(solution, message, heat_words):
    with pytest.raises(ProblemError, match=message):
        manufacture(Problem(**heat_words), solution)


@pytest.mark.parametrize(
    ("equation", "solution", "message"),
    [
        ("u_t = log(u)", "-1", "gives the equation 'heat' no source: this is not a finite real number"),
        ("u_t = 1/u", "0", "gives the equation 'heat' no source: this is not a finite real number"),
        ("u_t = log(u)", "x", "gives the equation 'heat' a source of nan at x = "),
        ("u_t = 1/(u - x)", "x", "gives the equation 'heat' no source"),
        ("u_t = u_xx(x=0)", "log(x + 2)*log(x)", "gives the equation 'heat' no source: u_xx(x=0): this is not"),
        ("u_t = tan(u)", "pi/2", "gives the equation 'heat' no source"),
        ("u_t = u^8", "1e60", "gives the equation 'heat' no source: this constant is beyond 1e+300"),
        ("u_t = exp(u)", "1e4*(x^2 + 1/10)*(1 + t)", "gives the equation 'heat' a source of -inf at x = "),
        (
            "u_t = diff(u, x, 8)",
            "exp(sin(x)*cos(x)*tanh(x)*exp(sin(x)*cos(exp(x)))*sigmoid(x)*log(3 + x)/(2 + sin(x)))",
            "gives the equation 'heat' no source: the derivatives here grow beyond 20000 operations",
        ),
    ],
)
def test_a_solution_without_a_finite_source_is_refused(equation, solution, message, heat_words):
    heat_words["equations"] = {"heat": equation}
    with pytest.raises(ProblemError) as caught:
        manufacture(Problem(**heat_words), {"u": solution})
    assert any(one.key == "manufactured" and one.message.startswith(message) for one in caught.value.mistakes)


def test_a_learned_parameter_takes_its_exact_value_in_the_source(heat_words):
    heat_words["parameters"] = {"alpha": {"learn": 0.5}}
    del heat_words["exact"]
    with pytest.raises(ProblemError, match="leaves the learned parameter 'alpha' open, which then may have any value"):
        manufacture(Problem(**heat_words), {"u": "cos(x)*exp(t)"})
    made = manufacture(Problem(**heat_words, exact={"alpha": "0.2"}), {"u": "cos(x)*exp(t) + alpha"})
    assert check(made).mistakes == []
    assert exact_parameters(made) == {"alpha": 0.2}
    (equation,) = made.equations
    program = Program([equation.residual])
    known = {"x": 0.0, "t": 1.0, "u_t": np.e, "u_xx": -np.e}
    for alpha, residual in ((0.2, 0.0), (0.3, 0.1 * np.e)):
        values = {atom: {**known, "alpha": alpha}[str(atom)] for atom in program.atoms}
        assert program(values)[0] == pytest.approx(residual, abs=1e-12)


def test_python_and_data_get_no_source(heat_words):
    heat_words["equations"] = {"heat": lambda p: p.u}
    heat_words["conditions"]["samples"] = {"data": {"x": [0.0], "t": [0.0], "u": [1.0]}}
    with pytest.raises(ProblemError, match=r"(?s)'samples' has data.*'heat' is Python"):
        manufacture(Problem(**heat_words), {"u": "x"})


def test_the_shipped_samples_are_those_of_their_formula(conf):
    tables = conf / "pde" / "tables"
    made = dict(shipped_samples())
    assert set(made) == {path.stem for path in tables.glob("*.csv")}
    for name, columns in made.items():
        shipped, here = (tables / f"{name}.csv").read_text(), csv_text(columns)
        assert shipped.splitlines()[0] == here.splitlines()[0], name
        found, expected = (np.loadtxt(text.splitlines(), delimiter=",", skiprows=1) for text in (shipped, here))
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)  # exp and sin differ in the last digit


def test_gradient_samples_are_those_of_their_potential():
    found = gradient_samples()
    assert np.linalg.eigvalsh(HESSIAN_HALF).min() > 0
    np.testing.assert_allclose(found["S_x"], 2 * (20.1892 * found["x"] - 26.6218 * found["y"]), rtol=1e-14)


def test_heat_samples_are_exact_and_noisy_ones_have_their_noise():
    clean, noisy = heat_samples(), heat_samples(noise=0.01)
    exact = np.exp(-0.1 * np.pi**2 * clean["t"]) * np.sin(np.pi * clean["x"])
    np.testing.assert_array_equal(clean["u"], exact)
    assert np.std(noisy["u"] - exact) == pytest.approx(0.01, rel=0.1)
    np.testing.assert_array_equal(noisy["x"], clean["x"])


def test_burgers_samples_are_accurate_and_all_over_the_domain():
    found = burgers_samples()
    more = burgers_at(found["x"], found["t"], nodes=400)
    assert np.abs(found["u"] - more).max() < 1e-12
    assert found["u"].shape == (2000,)
    near = np.argmin(np.abs(found["x"] - 0.3) + np.abs(found["t"] - 0.6))  # the grid's function at one sample
    x, t, u = (found[name][near : near + 1] for name in "xtu")
    assert burgers(x, t)[0, 0] == pytest.approx(u[0], abs=1e-14)
    cells = {(int(4 * (x + 1) / 2), int(4 * t)) for x, t in zip(found["x"], found["t"], strict=True)}
    assert len(cells) == 16
