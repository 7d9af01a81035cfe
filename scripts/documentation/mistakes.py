"""Mistakes in expressions, a text for each message of the language, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pinnkit.language import grammar
from pinnkit.language.calculus import symbol
from pinnkit.language.known import Known
from pinnkit.language.names import check_name

REAL = grammar.Scope(
    ("x", "y", "t"),
    {"u": ("x", "y", "t"), "v": ("x", "y", "t"), "k": ("x",)},
    ("alpha",),
    ("S",),
    space=("x", "y"),
    ranges={"x": (-1.0, 1.0), "y": (0.0, 1.0), "t": (0.0, 1.0)},
    tables={"q": Known("q", ("x", "y"), 2)},
    definitions={"Re": 1 / symbol("alpha")},
    regions=("domain", "hole"),
    rims=("boundary", "hole"),
)
"""The names that the examples use."""
COMPLEX = replace(REAL, fields={**REAL.fields, "h": ("x", "t"), "h_re": ("x", "t"), "h_im": ("x", "t")},
                  complex={"h": ("h_re", "h_im")})  # fmt: skip
BOUNDARY = replace(REAL, boundary=True)
ROD = grammar.Scope(("x", "t"), {"u": ("x", "t"), "p": ("t",)}, space=("x",), boundary=True)
LONG = grammar.Scope(("radius", "rho"), {"u": ("radius", "rho")}, space=("radius", "rho"))
MIXED = grammar.Scope(("x", "radius"), {"u": ("x", "radius")})
ALIKE = grammar.Scope(("x", "nu"), {"u": ("x", "nu")}, space=("x", "nu"), boundary=True)
MANY = grammar.Scope(tuple(f"a{'a' * number}" for number in range(9)), {"u": ("a",)}, space=("a",))
STEADY = grammar.Scope(("t",), {"u": ("t",)}, space=())
UNBOUNDED = replace(REAL, ranges={})


@dataclass(frozen=True)
class Group:
    """Mistakes of one kind: how a text is read, the names that it may use, and pairs of a text and a remedy."""

    title: str
    read: Callable[[Any, grammar.Scope], Any]
    scope: grammar.Scope
    mistakes: tuple[tuple[Any, str], ...]


def _name(text: Any, _: grammar.Scope) -> None:
    check_name(text, ("x",))


def _number(text: Any, _: grammar.Scope) -> float:
    return grammar.constant(text)


DEEP, WIDE = "(" * 61 + "x" + ")" * 61, "x" + " + x" * 600
GROUPS = (
    Group("Signs, brackets and numbers", grammar.equation, REAL, (
        ("", "Write an expression, or leave the key out."),
        ("u =", "Write the right side; an expression without `=` is meant to be zero."),
        ("= u", "Write the left side."),
        ("u = v = 1", "Write `u = v` and `v = 1`, as a list."),
        ("u == 1", "One `=` makes an equation."),
        ("u_t + != 1", "Comparisons stand inside `where(...)`."),
        ("2u", "Products are written out."),
        ("1 2", "Write `1*2`, `1 + 2` or `12`."),
        ("x + * y", "A value stands between two operators."),
        ("* y", "A value stands before an operator, but for a sign."),
        ("x +", "Write what is added."),
        ("x + ()", "Write what belongs there, or leave the brackets out."),
        ("(x + (y)", "The place is that of the first bracket that stays open."),
        ("x + y) * 2", "Remove it, or open a bracket before it."),
        (DEEP, "Name parts of the expression under `define:`."),
        ("x + " + "-" * 61 + "y", "Leave signs out."),
        (WIDE, "Name parts of the expression under `define:`."),
        ("where(x not > 0, 1, 2)", "Write `not x > 0`, or `x <= 0`."),
        ("x \N{MINUS SIGN} y", "A sign that was copied from a document: type it."),
        ("x\x07 + y", "Remove the character; it is not visible."),
        ("1e-310", "Write 0, or choose another unit."),
        ("1" * 51, "Doubles have 16 digits."),
        ("a" * 121, "Shorten the name."),
        ("x @ y", "The operators are `+ - * / ^`; `**` is a power too."),
        ("x[0]", "A derivative is written `u_x`, a place `u(x=0)`."),
        ("x.real", "Functions stand in front: `re(x)`."),
        ("'os'", "Names stand without quotes."),
        ("x if y else 1", "A case distinction is `where(y > 0, x, 1)`."),
        ("(x=1)", "An `=` in brackets names a place only: `u(x=1)`."),
        ("x, y", "Write two equations, as a list."),
        ("u > 1", "Write `where(u > 1, a, b)`."),
        ("x(1)(2)", "Only a function or a field is called."),
    )),
    Group("Names", grammar.equation, REAL, (
        ("u_t = alhpa", "The nearest declared name is proposed, or all are listed."),
        ("i*u", "Declare a complex field, such as `fields: {h: complex}`."),
        ("sin + x", "A function has arguments."),
        ("x + sni(x)", "The nearest function is proposed."),
        ("alpha(x)", "A parameter is a number; a product needs its sign."),
        ("k_y", "The field has other coordinates under `fields:`."),
        ("u_z", "Derivatives are by coordinates."),
        ("u_v", "Derivatives are by coordinates."),
        ("u_xxxxxxxxx", "The highest order is 8."),
        ("u_" + "x" * 40, "The highest order is 8."),
        ("u_n", "Write it in a condition at a boundary; in an equation write `dot` with a direction."),
        ("S_x", "A column is known at its points only: it has no derivatives."),
    )),
    Group("Names of several letters", grammar.equation, LONG, (
        ("u_r", "Write `u_radius` or `u_rho`."),
    )),
    Group(
        "One space coordinate, and a field of time alone",
        grammar.equation,
        ROD,
        (
            ("curl(u)", "A curl has two or three coordinates."),
            ("p_n", "Only a field of space has a normal derivative."),
        ),
    ),
    Group("Names that could be the normal", grammar.equation, ALIKE, (
        ("u_n", "Rename the coordinate, or write its name in full."),
    )),
    Group("Names of one and of several letters", grammar.equation, MIXED, (
        ("u_" + "x" * 9, "The highest order is 8."),
    )),
    Group("Names with too many readings", grammar.equation, MANY, (
        ("u_" + "a" * 40, "Give coordinates names that do not begin alike."),
    )),
    Group("Functions and operators", grammar.equation, REAL, (
        ("sin(x, y)", "The message has the form that the function takes."),
        ("max(" + "x, " * 20 + "x)", "Nest two of them."),
        ("sin(x=1)", "Arguments have no names; a field elsewhere is `u(x=1)`."),
        ("diff(u)", "Name the coordinates: `diff(u, x)`."),
        ("diff(u, alpha)", "Derivatives are by coordinates; a number repeats the one before it."),
        ("diff(u, x, x, x, x, x, x, x, x, x)", "The highest order is 8."),
        ("diff(S, x)", "Data and normals are known at single points."),
        ("diff(heaviside(x), x)", "Write the smooth transition that the message proposes, or two regions."),
        ("laplacian(grad(u))", "Take the components: `laplacian(u)`."),
        ("sin(grad(u))", "Take a component, or `dot(grad(u), grad(u))`."),
        ("u_t = x*grad(u)", "Write an equation for each component, or `dot(...)`."),
        ("grad(u) + 1", "Write equations for the components."),
        ("grad(u)*grad(v)", "A product of vectors is `dot(a, b)`."),
        ("dot(u, v)", "A product of scalars is `u*v`."),
        ("div(u)", "Give a component for each space coordinate: `div(u, v)`."),
        ("div(grad(u), v)", "Give one vector, or all components."),
        ("where(x, 1, 2)", "A comparison belongs there: `x > 0`."),
        ("where(where(x > 0, 1, 2) > 1, 1, 2)", "Write the condition with `and`, `or`, `not`."),
        ("where(grad(u) > 0, 1, 2)", "Compare scalars."),
        ("where(" + "not " * 60 + "x > 0, 1, 2)", "Simplify the condition."),
        ("where(" + "not (" * 59 + "x > 0" + ")" * 59 + ", 1, 2)", "Simplify the condition."),
        ("diff(diff(u, x, 5), x, 5)", "The highest order is 8."),
        ("not x > 0", "A condition stands inside `where(condition, a, b)`."),
        ("diff(" * 3 + "exp(sin(u*v)*cos(u*v))^3" + ", x, x, y, y)" * 3, "Name a part, or differentiate less often."),
    )),
    Group("A field elsewhere", grammar.equation, REAL, (
        ("u(x, t)", "A field stands without its coordinates; `u(x=0)` is its value elsewhere."),
        ("u(z=1)", "A place names coordinates of the field."),
        ("k(y=1)", "A place names coordinates of the field."),
        ("u(v=1)", "A place names coordinates alone."),
        ("u(x=1, x=2)", "Give each coordinate once."),
        ("u(x=v)", "A place is written in coordinates, parameters and numbers."),
        ("q(x=0)", "A table has values at the point of the equation alone."),
        ("q_xxx", "Ask for `smooth: quintic` at the table, or for lower derivatives."),
    )),
    Group("Normals elsewhere", grammar.equation, BOUNDARY, (
        ("u_n(x=0)", "The normal is that of the point where the condition holds."),
        ("diff(n_x, x)", "A normal has no derivatives."),
    )),
    Group("Integrals", grammar.equation, REAL, (
        ("integral(u)", "Say over what: a coordinate or a shape."),
        ("integral(u, z)", "Name a coordinate, a shape, or a variable with bounds."),
        ("integral(u, alpha, 0, 1)", "Use a name that means nothing else."),
        ("integral(u, u_x, 0, 1)", "Use a name that means nothing else."),
        ("integral(u, domain, 0, 1)", "A shape has no bounds."),
        ("integral(integral(u, x), y)", "Over several coordinates it is `integral(u, domain)`."),
        ("integral(u, x, 0, v)", "Bounds are written in coordinates, parameters and numbers."),
    )),
    Group("Integrals without a known range", grammar.equation, UNBOUNDED, (
        ("integral(u, x)", "Write both bounds."),
    )),
    Group("Numbers", grammar.equation, REAL, (
        ("x + 1/0", "Write another constant."),
        ("y*log(-1)", "The value must be real wherever it is computed."),
        ("(-2)^x", "Take `abs(...)` of the base, or a whole power."),
        ("x^1001", "Choose another form."),
        ("(x^60)^60", "Choose another form."),
            ("1e400", "Choose another unit."),
            ("sqrt(-x^2)", "Take the root of what is not negative."),
        ("1e-200*1e-200", "Choose another unit."),
        ("1e-200^2", "Choose another unit."),
    )),
    Group("Complex numbers", grammar.equation, COMPLEX, (
        ("h", "An equation may be complex; a weight, a place or a coefficient is real."),
        ("j*h", "The imaginary unit is `i`."),
        ("erf(h)", "Take `re(h)`, `im(h)` or `abs(h)`."),
        ("where(h > 0, 1, 2)", "Compare `re(h)`, `im(h)` or `abs(h)`."),
        ("re(h^17)", "Write it as `exp(17*log(h))`."),
    )),
    Group("Equations of time alone", grammar.equation, STEADY, (
        ("laplacian(u)", "The operators act on space coordinates."),
    )),
    Group("Where an expression belongs (`exact`, `weight`, `define`)", grammar.expression, REAL, (
        ("u = 1", "Write the right side alone."),
    )),
    Group("Where a place belongs (`at`)", grammar.assignment, REAL, (
        ("boundry", "Write `t = 0`, `boundary`, or the name of a shape."),
        ("u = 0", "What holds there stands under `equations`."),
        ("x = y", "A face is where a coordinate has one value."),
    )),
    Group("Where a condition belongs (`where`)", grammar.inequality, REAL, (
        ("x = 0.5", "Faces stand under `at`; `where` cuts a part out: `x > 0.5`."),
        ("x", "Write a comparison."),
    )),
    Group("Where a number belongs (ranges, radii)", _number, REAL, (
        ("x = 1", "Write the number alone."),
        (None, "Write a number, or an expression of numbers in quotes."),
        (10**60, "Write it as 1e60."),
        (float("inf"), "Write a finite number."),
    )),
    Group("Where a name is declared", _name, REAL, (
        (1, "Write a letter first."),
        ("2x", "A name is a letter, then letters, digits or single underscores."),
        ("lambda", "Write `lambda_`."),
        ("sin", "Choose another name."),
        ("pi", "Choose another name."),
        ("x", "Each name is declared once."),
        ("a" * 121, "Shorten it."),
    )),
)  # fmt: skip
"""Each mistake is made when the page is, and its message is the one that the code gives."""

GUARDS = (
    "this constant is not a real number",
    "this complex expression has more than",
    "cannot be differentiated",
    "dot needs two vectors of one length",
    "the table .* is known at the point itself, and cannot be evaluated elsewhere",
    "one side of the equation is empty",
    "this is not a finite real number wherever its names are",
    "does not depend on .*: it depends on",
    "the expression is nested too deeply",
    "is not part of the language",
    "is not an operator of the language",
    "only a function or a field can stand before",
    "vectors of different lengths cannot be added",
)
"""Messages behind a check that comes first: no text in an equation is known to bring them about."""
