"""References of complex fields: closed forms, tables, manufactured solutions and the method of lines."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.references.choose import choose
from pinnkit.references.exact import Exact
from pinnkit.references.manufactured import manufacture
from pinnkit.references.spectral import Spectral
from pinnkit.references.table import Table

WAVE = {
    "coordinates": {"x": [0, "2*pi"], "t": [0, 1]},
    "fields": {"h": "complex"},
    "equations": {"free": "i*h_t + h_xx = 0"},
    "conditions": {"initial": {"at": "t = 0", "equations": "h = exp(i*x)"}},
    "periodic": ["x"],
}


def points():
    rng = np.random.default_rng(0)
    return {"x": 2 * np.pi * rng.random((3, 7)), "t": rng.random((3, 7))}


def test_exact_is_the_complex_closed_form():
    problem = Problem(**(WAVE | {"exact": {"h": "exp(i*(x - t))"}}))
    assert check(problem).mistakes == []
    at = points()
    np.testing.assert_allclose(Exact(problem)(at)["h"], np.exp(1j * (at["x"] - at["t"])), rtol=1e-14)
    assert Exact(problem).fields == ("h",)


def ends(text):
    return {"ends": {"at": ["x = 0", "x = 2*pi"], "equations": text}}


@pytest.mark.parametrize(
    ("changes", "solution"),
    [
        ({}, lambda x, t: np.exp(1j * (x - t))),
        (
            {"periodic": [], "conditions": WAVE["conditions"] | ends("h = exp(i*(x - t))")},
            lambda x, t: np.exp(1j * (x - t)),
        ),
        ({"equations": {"cubic": "i*h_t + 0.5*h_xx + abs(h)^2*h = 0"}}, lambda x, t: np.exp(1j * (x + 0.5 * t))),
        ({"equations": {"twist": "(1 + i)*h_t = h_xx + conj(h)*0"}}, lambda x, t: np.exp(1j * x - t / (1 + 1j))),
    ],
    ids=["Fourier", "Chebyshev", "cubic", "damped"],
)
def test_the_method_of_lines_gives_complex_fields(changes, solution):
    reference = Spectral(Problem(**(WAVE | changes)), nodes=32, rtol=1e-6, atol=1e-8)
    at = points()
    found, expected = reference(at)["h"], solution(**at)
    assert found.dtype == np.complex128
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error <= max(reference.claimed_error, 1e-12)
    assert reference.claimed_error < 1e-4
    assert reference.fields == ("h",)


@pytest.mark.parametrize("form", ["complex", "parts", "csv", "real"])
def test_tables_of_complex_fields(form, tmp_path):
    x, t = np.meshgrid(np.linspace(0, 6, 5), np.linspace(0, 1, 4), indexing="ij")
    h = np.exp(1j * (x - t))
    problem = Problem(**(WAVE | {"conditions": {}}))
    path = tmp_path / ("h.csv" if form == "csv" else "h.npz")
    if form == "csv":
        columns = [x.ravel(), t.ravel(), h.real.ravel(), h.imag.ravel()]
        np.savetxt(path, np.column_stack(columns), delimiter=",", header="x,t,h_re,h_im", comments="", fmt="%.17g")
    else:
        fields = {"complex": {"h": h}, "parts": {"h_re": h.real, "h_im": h.imag}, "real": {"h": h.real}}[form]
        np.savez(path, x=x[:, 0], t=t[0], **fields)
    table = Table(problem, path)
    found = table(table.grid)["h"]
    assert table.fields == ("h",)
    assert found.dtype == np.complex128
    np.testing.assert_array_equal(found.ravel(), (h.real if form == "real" else h).ravel())


def test_a_table_that_misses_a_part_or_a_condition_is_refused(tmp_path):
    x, t = np.linspace(0, 6, 40), np.linspace(0, 1, 4)
    np.savez(tmp_path / "h.npz", x=x, t=t, h_re=np.ones((40, 4)))
    with pytest.raises(TableError, match=r"has no column for any field \(h_re, h_im\)"):
        Table(Problem(**WAVE), tmp_path / "h.npz")
    np.savez(tmp_path / "h.npz", x=x, t=t, h=np.ones((40, 4)) + 0j)
    with pytest.raises(TableError, match="violate the condition 'initial'"):
        Table(Problem(**WAVE), tmp_path / "h.npz")


def test_a_manufactured_solution_may_be_complex():
    made = manufacture(Problem(**WAVE), {"h": "exp(2*i*x)*(1 + i*t)"})
    assert check(made).mistakes == []
    at = points()
    np.testing.assert_allclose(choose(made)(at)["h"], np.exp(2j * at["x"]) * (1 + 1j * at["t"]), rtol=1e-13)
    words = {
        "coordinates": {"x": [0, 1]},
        "fields": {"u": ["x"], "h": "complex"},
        "equations": "u_x = h*conj(h)",
        "conditions": {"start": {"at": "x = 0", "equations": "h = 1"}},
    }
    with pytest.raises(ProblemError, match=r"manufactured\.u: is complex, and u is real"):
        manufacture(Problem(**words), {"u": "i*x", "h": "x"})
