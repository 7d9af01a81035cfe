"""Equations whose short waves grow without bound are refused by name, and others are not."""

from __future__ import annotations

import pytest

from pinnkit.references.system import read_system
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.references.wellposed import check_well_posed
from tests.references.rods import problem, start


def judged(equations, starts, fields="u", **words):
    words = {"coordinates": {"x": [0, 2], "t": [0, 1]}, "periodic": ["x"], **words}
    check_well_posed(read_system(problem(equations, {"start": start(*starts)}, fields=fields, **words)))


WAVE = ("u = sin(pi*x)", "u_t = 0")


@pytest.mark.parametrize(
    ("equations", "starts", "words"),
    [
        ("u_tt = -u_xx", WAVE, {}),
        ("u_tt = -1e-4*u_xx + u_t - u^3", WAVE, {}),
        ("u_tt = u_xxxx", WAVE, {}),
        ("u_tt = u_x", WAVE, {}),
        ("u_t = -u_xx", WAVE[:1], {}),
        ("u_t + u*u_x = -0.01*u_xx", WAVE[:1], {}),
        ("u_t = u_xx + 1e-6*u_xxxx", WAVE[:1], {}),
        ("u_t = (x - 1)*u_xx", WAVE[:1], {}),
        ("u_t = (0.5 - t)*u_xx", WAVE[:1], {}),
        (["u_t = v_x", "v_t = -u_x"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v", "v_t = -u_xx"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = u_xx + 3*v_xx", "v_t = v_xx + u_xx"], ("u = 1", "v = 0"), {"fields": "uv"}),
    ],
)
def test_an_ill_posed_equation_is_refused(equations, starts, words):
    with pytest.raises(UnsupportedProblem, match=r"ill posed: the shorter a wave is, the faster it grows \(at x = "):
        judged(equations, starts, **words)


@pytest.mark.parametrize(
    ("equations", "starts", "words"),
    [
        ("u_tt = u_xx", WAVE, {}),
        ("u_tt = u_xx + 9*u + 5*u_t + u_x", WAVE, {}),
        ("u_tt = -u_xxxx", WAVE, {}),
        ("u_tt + sin(u) = 4*u_xx", WAVE, {}),
        ("u_t = u_xx + 50*u", WAVE[:1], {}),
        ("u_t + u*u_x + 0.022^2*u_xxx = 0", WAVE[:1], {}),
        ("u_t + u*u_x + u_xx + 1e-3*u_xxxx = 0", WAVE[:1], {}),  # Kuramoto and Sivashinsky's: long waves grow
        ("u_t = -x*u_x", WAVE[:1], {}),
        ("u_t = u*u_xx", WAVE[:1], {}),
        ("u_t = -u*u_xx", WAVE[:1], {}),  # not known before it is solved
        ("u_t = x^2*u_xx", WAVE[:1], {}),
        ("u_t = u", WAVE[:1], {}),
        (["u_t = -v_xx/2", "v_t = u_xx/2"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v", "v_t = u_xx"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v_x", "v_t = u_x"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v_x", "v_t = v"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = u_xx - u*v", "v_t = u*v - v"], ("u = 1", "v = 0"), {"fields": "uv"}),
        ("u_tt = -u", ("u = 1", "u_t = 0"), {"coordinates": {"t": [0, 1]}, "periodic": None}),
    ],
)
def test_a_well_posed_one_is_not(equations, starts, words):
    judged(equations, starts, **words)
