"""Residuals of equations that are singular at some points."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pinnkit.references.choose import choose
from pinnkit.runs.evaluation import Errors, evaluate
from pinnkit.runs.results import summary_lines
from tests.conftest import assembled


def measured(equation, **words):
    words = {"coordinates": {"r": [0, 1]}, "fields": ["u"], "conditions": {}, **words}
    module, _ = assembled({**words, "equations": {"disk": equation}})
    return evaluate(module, None)


@pytest.mark.parametrize(
    ("equation", "words", "points"),
    [
        ("u_rr + u_r/r = -4", {}, 1),
        ("r*u_rr + log(r)*u = 0", {}, 1),
        ("u_r/(r - 1/2) + u/r = 0", {}, 2),  # inside, too
        ("u_rr + u_r/r + u_xx = 0", {"coordinates": {"x": [0, 1], "r": [0, 1]}}, 201),
        (lambda p: p.u_rr + p.u_r / p.r, {}, 1),
    ],
)
def test_points_where_an_equation_is_singular_are_left_out_and_told(equation, words, points):
    found = measured(equation, **words)
    errors = found.errors()
    assert errors["residual_left_out"] == {"disk": points}
    values = found.residuals["disk"]
    finite = values[np.isfinite(values)]
    assert len(finite) == values.size - points
    assert errors["residual_rms"]["disk"] == pytest.approx(np.sqrt(np.mean(finite**2)), rel=1e-12)
    (line,) = [
        line
        for line in summary_lines(
            {"status": "finished", "steps": 1, "train_time_s": 1.0, "learned": {}, "minimum": {}, **errors}
        )
        if line.startswith("RMS")
    ]
    assert line.endswith(f" (without {points} point{'s' * (points > 1)} where the equation is singular)")


@pytest.mark.parametrize(
    ("equation", "rms"),
    [
        ("u_rr = sqrt(u - 100) + u", "nan"),  # not singular: it is this network that has no residual
        ("u_rr + exp(2000*(u + 2)^2) = 0", "inf"),
        ("u_r/(r - 1/2 - abs(r - 1/2)) = 0", "finite"),
        ("u_r/(abs(r) - r) = 0", "inf or nan"),  # nowhere a number
        (lambda p: torch.where(abs(p.r - 0.5) < 0.1, p.u_r * torch.inf, p.u), "inf or nan"),  # not at an edge
    ],
)
def test_no_other_point_is_left_out(equation, rms):
    errors = measured(equation).errors()
    size = errors["residual_rms"]["disk"]
    if rms == "finite":
        assert errors["residual_left_out"] == {"disk": 501}
        assert np.isfinite(size)
    else:
        assert errors["residual_left_out"] == {}
        assert str(size) in rms


def test_points_where_the_reference_is_not_finite_are_left_out_and_told():
    words = {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "fields": ["u"],
        "equations": "laplacian(u) = 0",
        "conditions": {"rim": {"at": "boundary", "equations": "u = log(x^2 + y^2)"}},
        "exact": {"u": "log(x^2 + y^2)"},
    }
    module, _ = assembled(words)
    reference = choose(module.problem)
    found = evaluate(module, reference)
    errors = found.errors()
    assert errors["reference_left_out"] == {"u": 1}
    finite = np.isfinite(found.references["u"])
    off = (found.fields["u"] - found.references["u"])[finite]
    assert errors["max_error"]["u"] == np.max(np.abs(off))
    wanted = np.linalg.norm(off) / np.linalg.norm(found.references["u"][finite])
    assert errors["relative_l2"]["u"] == pytest.approx(wanted, rel=1e-12)
    assert Errors(module, reference)()["u"] == errors["relative_l2"]["u"]
    facts = {"status": "finished", "steps": 1, "train_time_s": 1.0, "learned": {}, "minimum": {}, "reference": "exact"}
    (line,) = [line for line in summary_lines({**facts, **errors}) if line.startswith("relative")]
    assert line.endswith("(against: exact, without 1 point where it is not finite)")
