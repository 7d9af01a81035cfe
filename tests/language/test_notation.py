"""Texts of the language as Unicode and MathML."""

import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from pinnkit.language.mathml import mathml
from pinnkit.language.plain_text import unicode_text
from tests.conftest import ROOT

FIELDS, COORDINATES = ("u", "v", "angle", "k"), ("x", "t", "theta")

UNICODE = [
    ("u_t = alpha * u_xx", "∂u/∂t = \u03b1 ∂²u/∂x²"),
    ("angle_tt + damping*angle_t + sin(angle) = 0", "∂²angle/∂t² + damping ∂angle/∂t + sin(angle) = 0"),
    ("u_xtheta = 1", "∂²u/∂x∂θ = 1"),
    ("-laplacian(u) = 2*pi^2", "\u2212∇²u = 2 π²"),
    ("exp(-alpha*pi^2*t)", "exp(\u2212\u03b1 π² t)"),
    ("u - (v - x) - -1", "u \u2212 (v \u2212 x) \u2212 (\u22121)"),
    ("u + (v + x)", "u + v + x"),
    ("(u + 1)^2*3/(2*x)", "(u + 1)²·3/(2 x)"),
    ("x^(t + 1) + x1^-2", "x^(t + 1) + x₁\u207b²"),
    ("u(x=-1) = u(x=1)", "u(x = \u22121) = u(x = 1)"),
    ("k*u.left_n = v.right", "k ∂u[left]/∂n = v[right]"),
    ("div(k*u_x, v)", "∇ · (k ∂u/∂x, v)"),
    ("integral(exp(s - t)*v(t=s), s, 0, t)", "∫[0, t] exp(s \u2212 t) v(t = s) ds"),
    ("integral(u_n, hole)", "∫[hole] ∂u/∂n"),
    ("diff(k*u_x, x, 2)", "∂²/∂x² (k ∂u/∂x)"),
    ("where(x > 0.5 and t <= 1, abs(u), sqrt(2))", "{|u| if x > 0.5 and t ≤ 1; √2 otherwise}"),
    ("1e-30 + 2.5e6", "10\u207b³⁰ + 2500000.0"),
    ("u = u_data", "u = u_data"),
]


@pytest.mark.parametrize(("text", "expected"), UNICODE, ids=[text for text, _ in UNICODE])
def test_a_text_in_unicode(text, expected):
    assert unicode_text(text, FIELDS, COORDINATES) == expected


@pytest.mark.parametrize("text", [text for text, _ in UNICODE])
def test_mathml_is_well_formed_and_keeps_every_number_and_both_sides(text):
    tree = ElementTree.fromstring(mathml(text, FIELDS, COORDINATES))
    assert tree.tag == "math"
    words = "".join(tree.itertext())
    assert ("=" in words) == ("=" in text.replace("<=", ""))
    for digit in "0123456789":
        if digit in text and "e" not in text.replace("theta", ""):
            assert digit in words


def test_mathml_of_a_derivative_is_a_subscript_and_a_quotient_a_fraction():
    tree = ElementTree.fromstring(mathml("u_xx/2 = sqrt(x)", FIELDS, COORDINATES))
    subscript = tree.find(".//mfrac/msub")
    assert ["".join(part.itertext()) for part in subscript] == ["u", "xx"]
    assert tree.find(".//msqrt/mi").text == "x"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "u_t = ", "u[0]", "lambda x: x", "", "1 = 2 = 3"])
def test_what_is_no_text_of_the_language_has_no_mathml_and_stays_as_it_is(text):
    assert mathml(text, FIELDS, COORDINATES) is None
    assert unicode_text(text, FIELDS, COORDINATES) == text


def texts(config):
    """The equations and closed forms of a part of a problem file."""
    if isinstance(config, str):
        yield config
    elif isinstance(config, list):
        for one in config:
            yield from texts(one)
    elif isinstance(config, dict):
        for key, one in config.items():
            yield from texts(one) if key not in ("at", "where", "data", "in", "weight", "hard") else ()


def test_every_equation_of_the_shipped_problems_has_mathml():
    count = 0
    for path in (ROOT / "conf" / "pde").rglob("*.yaml"):
        config = yaml.safe_load(path.read_text())
        for text in texts([config.get(key, {}) for key in ("equations", "conditions", "exact", "define")]):
            written = mathml(text, list(config["fields"]), list(config["coordinates"]))
            assert written is not None, (path.name, text)
            ElementTree.fromstring(written)
            count += 1
    assert count > 100
