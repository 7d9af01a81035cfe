"""What jumps inside the domain is not differentiated."""

from __future__ import annotations

import pytest

from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import Scope, equation, expression

RANGES = {"x": (0.0, 1.0), "y": (-1.0, 1.0), "t": (0.0, 2.0), "a": (0.3, 0.3)}
SCOPE = Scope(("x", "y", "t"), {"u": ("x", "y", "t"), "v": ("x", "y", "t")}, ("a",), ranges=RANGES, space=("x", "y"))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("diff(where(x < 0.5, 1, 10)*u_x, x)", "by x jumps at x = 0.5"),
        ("diff(where(x > 0.5, 1 + sqrt(x - 0.5), 0)*u, x)", "by x jumps at x = 0.5"),
        ("diff(where(x > 0.5, sqrt(x - 0.5), 0), x, 2)", "by x jumps at x = 0.5"),
        ("diff(where(x < a, 1, 10)*u_x, x)", "by x jumps at x = 0.3"),
        ("diff(where(0.4 < x and x < 0.403, 1, 10)*u, x)", "by x jumps at x = 0.4"),
        ("diff(where(x < 0.5, u_x, 10*u_x), x)", "by x jumps at x = 0.5"),
        ("diff((2 + sign(x - 0.25))*u_x, x)", "by x jumps at x = 0.25"),
        ("diff(heaviside(y)*u, y)", "by y jumps at y = "),
        ("diff(abs(2 + sign(x - 0.25))*u_x, x)", "by x jumps at x = 0.25"),
        ("diff(exp(heaviside(x*y - 0.1)), x)", "by x jumps at x = "),
        ("laplacian(where(x < 0.5, 1, 2)*u)", "by x jumps at x = 0.5"),
        ("div(where(y < 0.5, 1, 2)*u_x, where(y < 0.5, 1, 2)*u_y)", "by y jumps at y = 0.5"),
        ("curl(u, where(x < 0.5, 1, 2)*v)", "by x jumps at x = 0.5"),
        ("dot(grad(where(x < 0.5, 1, 2)*u), grad(v))", "by x jumps at x = 0.5"),
        ("diff(where(t > 1, u, 2*u), t)", "by t jumps at t = 1"),
        ("diff(where(u > 0.5, 1, 2)*u_x, x)", "by x jumps where u crosses a value"),
        ("diff(sign(u), x)", "by x jumps where u crosses a value"),
        ("diff(abs(x - 0.5), x, 2)", "by x jumps at x = 0.5"),
        ("diff(abs(u), x, x)", "by x jumps where u crosses a value"),
        ("diff(max(x, 0.5)*u, x, 2)", "by x jumps at x = 0.5"),
        ("diff(min(x, 1 - x)*u, x, y, x)", "by x jumps at x = 0.5"),
        ("diff(u(x=where(x < 0.5, 0, 1)), x)", "by x jumps at x = 0.5"),
        ("diff(atan2(y, x - 0.5)*u, y)", "by y jumps at y = "),
    ],
)
def test_the_derivative_of_a_jump_is_refused(text, where):
    with pytest.raises(LanguageError) as caught:
        expression(text, SCOPE)
    assert where in caught.value.message
    assert "Write a smooth transition, such as tanh(" in caught.value.message
    assert caught.value.position is not None


@pytest.mark.parametrize(
    "text",
    [
        "where(x < 0.5, 1, 10)*u_xx",
        "diff(where(x < 0.5, 1, 10)*u_x, y)",  # along the jump
        "diff(where(x < 0.5, x, 1 - x)*u_x, x)",
        "diff(where(y > 0, sqrt(y), 0)*u, y)",  # a root that starts at the switch
        "diff(where(x > 0.5, (x - 0.5)^(1/3), 0)*u, x)",
        "diff(where(x > 0.5, 1/log(x - 0.5), 0)*u, x)",
        "diff(where(u > 0.5, sqrt(u - 0.5), 0), x)",
        "diff(where(x < 5, 1, 10)*u_x, x)",  # outside
        "diff(heaviside(x)*u_x, x)",  # at the edge
        "diff(where(u > 0, u, 0)*u_x, x)",
        "diff(abs(u_x)*u_x, x)",
        "diff(abs(x - 0.5)^2*u, x, 2)",
        "diff(sign(x - 0.5)^2*u_x, x)",
        "diff(max(u, 0)^2, x, 2)",
        "diff(where(x < 0.5, 1, 10)*(x - 0.5)*u_x, x)",
        "diff((1 + 9*(1 + tanh((x - 0.5)/0.01))/2)*u_x, x)",
        "diff(1/(x - 0.5)*u, x)",
        "diff(atan2(y, x)*u, y)",  # its cut lies outside
        "laplacian(abs(x - 5)*u)",
    ],
)
def test_what_is_continuous_in_the_domain_is_differentiated(text):
    assert expression(text, SCOPE) is not None


def test_the_advice_is_accepted_and_without_a_domain_nothing_is_refused():
    text = "u_t = diff(where(x < 0.5, 1, 10)*u_x, x)"
    with pytest.raises(LanguageError) as caught:
        equation(text, SCOPE)
    smooth = caught.value.message.split("such as ")[1]
    assert smooth == "tanh((x - 0.5)/0.01)"
    assert equation(text.replace("where(x < 0.5, 1, 10)", f"(5.5 + 4.5*{smooth})"), SCOPE) is not None
    assert equation(text, Scope(("x", "y", "t"), SCOPE.fields, space=("x", "y"))) is not None
