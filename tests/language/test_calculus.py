from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import sympy

from pinnkit.language.calculus import (
    Budget,
    Partial,
    curl,
    differentiate,
    divergence,
    dot,
    field,
    gradient,
    laplacian,
    normal_derivative,
    partials,
    replace,
    substitute_fields,
    symbol,
)
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, expression

X, Y, Z, T, A = (symbol(name) for name in ("x", "y", "z", "t", "alpha"))
XYZ = ("x", "y", "z")
XYZT = (*XYZ, "t")
U, V, W = (field(name, XYZT) for name in "uvw")


def d(one: Partial, names: str) -> Partial:
    return one.differentiated(*names)


def test_equal_partials_are_one_atom_in_whatever_order_they_are_taken():
    assert Partial("u", ("x", "t"), ("t", "x")) == Partial("u", ("x", "t"), ("x", "t"))
    assert Partial("u", ("x",), (), {"x": 1.0}) == Partial("u", ("x",), (), {"x": 1})
    assert Partial("u", ("x",), (), {"x": X}) == field("u", ("x",))
    assert field("u", ("x",)) != field("u", ("x", "t"))
    assert d(U, "x") * d(U, "t") - d(U, "t") * d(U, "x") == 0


def test_partials_sort_copy_and_pickle():
    atoms = [Partial("u", ("x",), (), {"x": value}) for value in (X + 1, -X, sympy.Integer(1), A)]
    assert len(sympy.Add(*atoms, *atoms).args) == 4
    for one in atoms:
        assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


def test_printing():
    assert str(Partial("u", ("x", "t"), ("x", "x"))) == "u_xx"
    assert str(Partial("u", ("x", "t"), ("x",), {"x": -1})) == "u_x(x=-1)"
    assert sympy.latex(Partial("u", ("x", "t"), ("x", "t"))) == "{u}_{x t}"


def test_sympy_differentiates_partials_by_the_chain_rule():
    assert (X * U).diff(X, 2) == 2 * d(U, "x") + X * d(U, "xx")
    assert sympy.sin(U).diff(T) == sympy.cos(U) * d(U, "t")
    elsewhere = U.subs(X, -X)
    assert elsewhere.diff(X) == -d(U, "x").subs(X, -X)
    moved = U.subs(X, X**2)
    assert moved.diff(X, 2).expand() == 2 * d(U, "x").subs(X, X**2) + 4 * X**2 * d(U, "xx").subs(X, X**2)
    assert U.subs(X, 1).diff(X) == 0
    assert field("k", ("x",)).diff(Y) == 0
    assert U.subs(X, A * T).diff(A) == T * d(U, "x").subs(X, A * T)


def test_a_field_elsewhere_is_differentiated_almost_everywhere_as_all_else_is():
    kinked = d(U, "x").subs(X, sympy.Abs(X))
    assert differentiate(U.subs(X, sympy.Abs(X)), "x") == sympy.sign(X) * kinked
    assert differentiate(U.subs(X, sympy.sign(X)), "x") == 0
    other = field("k", ("x",))
    assert differentiate(U.subs(X, other), "x") == d(other, "x") * d(U, "x").subs(X, other)
    assert differentiate(U.subs(X, X * sympy.Heaviside(X)), "x") == sympy.Heaviside(X) * d(U, "x").subs(
        X, X * sympy.Heaviside(X)
    )


def test_replacing_a_coordinate_evaluates_elsewhere():
    assert U.subs(X, 2) == U.xreplace({X: sympy.Integer(2)}) == Partial("u", XYZT, (), {"x": 2})
    assert (X * d(U, "x")).xreplace({d(U, "x"): Y}) == X * Y
    assert U.subs(X, A).free_symbols == {A, Y, Z, T}


def test_a_field_is_differentiated_only_by_what_it_depends_on():
    with pytest.raises(LanguageError, match="k does not depend on y"):
        field("k", ("x",)).differentiated("y")


@pytest.mark.parametrize(
    "expr",
    [
        X**3 * sympy.sin(Y * X) / (1 + X**2),
        sympy.exp(-A * X**2) * sympy.log(2 + X**2),
        (2 + sympy.cos(X)) ** X,
        sympy.atan2(X, Y) + sympy.erf(X) * sympy.tanh(X),
        sympy.sqrt(1 + X**2) ** 3,
        U * d(U, "x") ** 2 / (1 + V**2),
    ],
)
def test_differentiate_agrees_with_sympy(expr):
    values = {atom: 0.3 + 0.1 * place for place, atom in enumerate(sorted(expr.diff(X, 2).atoms(Partial), key=str))}
    values |= {X: 0.7, Y: 1.1, A: 0.4}
    for order in (1, 2):
        ours, theirs = (one.xreplace(values) for one in (differentiate(expr, *"x" * order), expr.diff(X, order)))
        assert float(ours) == pytest.approx(float(theirs), rel=1e-12)


def test_kinks_are_differentiated_almost_everywhere():
    magnitude = differentiate(sympy.Abs(U), "x")
    assert magnitude == sympy.sign(U, evaluate=False) * d(U, "x")
    assert differentiate(magnitude, "x") == sympy.sign(U, evaluate=False) * d(U, "xx")
    ramp = differentiate(sympy.Max(X**2, X, evaluate=False), "x")
    assert [ramp.subs(X, value) for value in (-2, sympy.Rational(1, 2), 3)] == [-4, 1, 6]
    dip = differentiate(sympy.Min(X**2, X, evaluate=False), "x")
    assert [dip.subs(X, value) for value in (-2, sympy.Rational(1, 2), 3)] == [1, 1, 1]
    two = sympy.Piecewise((X**2, X > 0), (X, True))
    assert differentiate(two, "x") == sympy.Piecewise((2 * X, X > 0), (1, True))


def test_vector_operators_against_hand_derivatives():
    assert laplacian(U, XYZ) == d(U, "xx") + d(U, "yy") + d(U, "zz")
    assert gradient(X * Y + T, XYZ) == (Y, X, 0)
    assert divergence((X**2, X * Y, Z * T), XYZ) == 3 * X + T
    assert curl((-Y, X), ("x", "y")) == 2
    assert curl((Y * Z, X * Z, X * Y), XYZ) == (0, 0, 0)
    assert curl((U, V, W), XYZ) == (
        d(W, "y") - d(V, "z"),
        d(U, "z") - d(W, "x"),
        d(V, "x") - d(U, "y"),
    )
    assert dot(gradient(U, XYZ), (X, Y, Z)) == X * d(U, "x") + Y * d(U, "y") + Z * d(U, "z")
    nx, ny = symbol("n_x"), symbol("n_y")
    plane = field("u", ("x", "y", "t"))
    assert normal_derivative(plane, ("x", "y")) == nx * d(plane, "x") + ny * d(plane, "y")


def test_identities_of_vector_calculus():
    assert divergence(curl((U, V, W), XYZ), XYZ) == 0
    assert curl(gradient(U, XYZ), XYZ) == (0, 0, 0)
    assert divergence(gradient(U, XYZ), XYZ) == laplacian(U, XYZ)


def test_wrong_numbers_of_components_are_refused():
    with pytest.raises(LanguageError, match="one component for each spatial coordinate"):
        divergence((U,), XYZ)
    with pytest.raises(LanguageError, match="2 or 3 spatial coordinates"):
        curl((U,), ("x",))
    with pytest.raises(LanguageError, match="one length"):
        dot((U,), (U, V))


def test_differentiation_is_bounded():
    with pytest.raises(LanguageError, match="order 9"):
        differentiate(X, *"xxxxxxxxx")
    with pytest.raises(LanguageError, match="order 9"):
        differentiate(d(U, "xxxxxxxx"), "x")
    with pytest.raises(LanguageError, match="grow beyond 50 operations"):
        differentiate(sympy.Mul(*(sympy.sin(i * X) for i in range(1, 20))), "x", budget=Budget(50))


def test_substituting_a_solution_gives_zero_residual_and_a_perturbed_one_does_not():
    u = field("u", ("x", "t"))
    heat = u.diff(T) - A * u.diff(X, 2)
    exact = sympy.exp(-A * T) * sympy.sin(X)
    assert sympy.simplify(substitute_fields(heat, {"u": exact})) == 0
    assert sympy.simplify(substitute_fields(heat, {"u": exact + T})) == 1
    periodic = u.subs(X, 0) - u.subs(X, 2 * sympy.pi)
    assert substitute_fields(periodic, {"u": exact}) == 0
    assert substitute_fields(u.diff(X).subs(X, -X), {"u": X**2 * T}) == -2 * X * T
    assert substitute_fields(u + V, {"u": X}) == X + V
    assert partials(substitute_fields(heat, {"u": exact})) == set()


def test_replace_acts_at_once_and_inside_kinks():
    assert replace(X - Y, {X: Y, Y: X}) == Y - X
    assert replace(X * U, {X: Y}) == Y * U.subs(X, Y)
    assert replace(sympy.Max(X, Y, evaluate=False), {X: sympy.Integer(1), Y: sympy.Integer(2)}) == 2
    assert replace(sympy.Piecewise((U, X > 0), (0, True)), {X: sympy.Integer(-1)}) == 0


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("max(x, where(x > 0, x, -9), where(x > 0, x, -8))", 1),
        ("min(x, where(x > 0, x, 9), where(x > 0, x, 8))", 1),
        ("max(x, where(x > 0, x, -9), where(x > 0, x, -8), where(x > 0, x, -7), -4)", 1),
        ("max(2*x, where(x > 0, x, -9), 3*x, where(x > 0, 3*x, -8))", 3),
        ("min(2*x, x, where(x > 0, x, -8))", 1),
    ],
)
def test_the_slopes_of_equal_arguments_are_shared(text, slope):
    expr = expression(f"diff({text}, x)", Scope(("x",)))
    np.testing.assert_allclose(Program([expr])({symbol("x"): np.array([0.25, 0.5, 2.0])})[0], slope, rtol=1e-15)
