"""A problem in a notebook: its equations in LaTeX."""

import re

import pytest

import pinnkit
from pinnkit.language.latex import latex_text
from pinnkit.problem.statement import NOTE
from pinnkit.references.manufactured import manufacture


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("u_tt = c^2*u_xx", r"u_{tt} = c^{2} \, u_{xx}"),
        ("-div(k*u_x, k*u_y) = q1/2", r"-\nabla  \cdot \left(k \, u_{x}, k \, u_{y}\right) = \frac{q_{1}}{2}"),
        ("diff(k*u_x, x, 2) = 1e-9", r"\frac{\partial^{2}}{\partial x^{2}} \left(k \, u_{x}\right) = 10^{-9}"),
        ("u(x=-1) = u(x=1)", r"u\left(x = -1\right) = u\left(x = 1\right)"),
        ("(u + 1)^(a/b)", r"\left(u + 1\right)^{\frac{a}{b}}"),
        ("(u^2)^3 + 2^u^2", r"{\left(u^{2}\right)}^{3} + 2^{u^{2}}"),
        ("abs(u)*sign(mu)", r"\left|u\right| \, \operatorname{sgn}\left(\mu\right)"),
        ("not an equation =", r"\texttt{not an equation =}"),
    ],
)
def test_texts_are_written_in_latex(text, latex):
    assert re.sub(" +", " ", latex_text(text, ["u"], ["x", "y", "t"])) == re.sub(" +", " ", latex)


def test_a_problem_is_shown_by_its_equations(heat_words):
    problem = pinnkit.Problem(**heat_words)
    assert repr(problem) == (
        "Problem(heat: u(x, t); x in [-1, 1], t in [0, 1]; u_t = alpha * u_xx; conditions: initial, ends)"
    )
    shown = problem._repr_markdown_()
    assert r"u_{t} &= \alpha \, u_{xx} &&" in shown
    assert r"u &= \sin\left(\pi \, x\right) && \text{at t = 0} \\" in shown
    assert "- parameter: alpha = 0.1" in shown
    assert problem._repr_latex_() in shown
    assert shown.count("$$") == 2


def test_a_condition_at_a_mapping_reads_as_one_at_a_text(heat_words):
    conditions = {
        "initial": {"at": {"t": 0}, "equations": "u = 0"},
        "ends": {"at": [{"x": -1}, "x = 1"], "equations": "u = 0"},
        "corner": {"at": {"x": -1, "t": 0}, "equations": "u = 0"},
    }
    shown = pinnkit.Problem(**{**heat_words, "conditions": conditions})._repr_latex_()
    assert r"\text{at t = 0}" in shown
    assert r"\text{at x = -1, x = 1}" in shown
    assert r"\text{at x = -1, t = 0}" in shown


def test_what_was_given_in_python_is_named(heat_words):
    def balance(p):
        return p.u_t

    heat_words["equations"] = {"heat": balance}
    assert r"\texttt{balance}&\text{, a residual in Python}" in pinnkit.Problem(**heat_words)._repr_latex_()


def test_a_source_of_a_manufactured_solution_is_said_in_words(heat_words):
    shown = manufacture(pinnkit.Problem(**heat_words), {"u": "cos(x)*t"})._repr_latex_()
    assert rf"u_{{t}} &= \alpha \, u_{{xx}} && \text{{{NOTE}}}" in shown
    assert "texttt" not in shown


def test_texts_of_a_problem_file_are_no_markup(heat_words):
    shown = pinnkit.Problem(**{**heat_words, "description": "<script>run()</script> *a* [b](c) $d$"})._repr_markdown_()
    assert r"&lt;script&gt;run()&lt;/script&gt; \*a\* \[b\](c) &#36;d&#36;" in shown
    assert "<script" not in shown
