"""Scales found from a problem: against hand calculation, and a bar in SI units that solves as one without units."""

import pytest
import torch

from pinnkit.losses.scaling import scaled_weights, uses_scales
from pinnkit.losses.settings import WEIGHTINGS
from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import Scales, far_from_one, scales_of
from pinnkit.runs.configuration import without_later_choices
from pinnkit.runs.solve import solve
from tests.conftest import assembled

SI = {
    "coordinates": {"x": [0, 2]},
    "fields": ["u"],
    "parameters": {"E": 2e11, "f": 2e8},
    "equations": {"balance": "E*u_xx = -f"},
    "conditions": {
        "clamped": {"at": "x = 0", "equations": "u = 0"},
        "free": {"at": "x = 2", "equations": "u_n = 0"},
    },
    "exact": {"u": "f/E*(2*x - x^2/2)"},
}
PLAIN = {
    **SI,
    "coordinates": {"x": [-1, 1]},
    "parameters": {"E": 1, "f": 1},
    "conditions": {
        "clamped": {"at": "x = -1", "equations": "u = 0"},
        "free": {"at": "x = 1", "equations": "u_n = 0"},
    },
    "exact": {"u": "f*(2*(x + 1) - (x + 1)^2/2)"},
}


def of(words, **others):
    """The problem with other words; None: without."""
    return Problem(**{key: value for key, value in {**words, **others}.items() if value is not None})


def test_a_field_without_sizes_by_conditions_has_that_of_its_balance():
    found = scales_of(of(SI), True)
    assert found.fields == {"u": pytest.approx(1e-3)}  # f h^2 / E
    assert found.terms == pytest.approx({"balance": 2e8, "clamped": 1e-3, "free": 1e-3})  # f, U, U / h
    assert scales_of(of(SI), False) == Scales({"u": 1.0}, {})


def test_the_least_term_that_balances_the_source_sets_the_size_by_its_power():
    problem = of(SI, equations="E*u_xx - 4*E*u = -f", exact=None)  # 4 E U = f before E U / h^2 = f
    assert scales_of(problem, True).fields == {"u": pytest.approx(2.5e-4)}
    problem = of(SI, equations="E*u^2 = f", parameters={"E": 1, "f": 1e8}, exact=None)
    assert scales_of(problem, True).fields == {"u": pytest.approx(1e4)}


def test_fields_without_a_source_follow_those_that_have_a_size():
    conditions = {
        "left": {"at": "x = 0", "equations": "u = 0"},
        "right": {"at": "x = 2", "equations": "u = 1e-3"},
    }
    problem = of(SI, fields=["u", "s"], equations=["s = E*u_x", "s_x = 0"], conditions=conditions, exact=None)
    assert scales_of(problem, True).fields == {"u": 2.0**-10, "s": pytest.approx(2e11 * 2.0**-10)}  # U, E U / h
    assert far_from_one(problem)


@pytest.mark.parametrize("source", [1, 50])
def test_numbers_near_one_are_left_as_they_are(source):
    problem = of(PLAIN, parameters={"E": 1, "f": source})
    assert not far_from_one(problem)
    assert not uses_scales(problem, WEIGHTINGS["fixed"]())
    assert uses_scales(problem, WEIGHTINGS["fixed"](scales=True))


def test_weights_of_the_users_own_and_the_key_turn_scales_off():
    conditions = {**SI["conditions"], "clamped": {**SI["conditions"]["clamped"], "weight": 1e20}}
    assert uses_scales(of(SI), WEIGHTINGS["fixed"]())
    assert not uses_scales(of(SI, conditions=conditions), WEIGHTINGS["fixed"]())
    assert not uses_scales(of(SI), WEIGHTINGS["fixed"](weights={"free": 10.0}))
    assert not uses_scales(of(SI), WEIGHTINGS["fixed"](scales=False))
    assert scaled_weights({"a": 2.0, "b": 3.0}, Scales({"u": 1.0}, {"a": 4.0})) == {"a": 0.125, "b": 3.0}


def test_a_saved_run_of_before_scales_is_read_without():
    assert without_later_choices({"weighting": {"name": "fixed"}})["weighting"] == {"name": "fixed", "scales": False}
    assert without_later_choices({"weighting": {"scales": None}})["weighting"] == {"scales": None}


def test_the_objective_of_the_bar_in_si_units_is_that_without_units():
    losses = []
    for words in (SI, PLAIN):
        module, batches = assembled(words, {"network": {"width": 6, "depth": 1}})
        with torch.no_grad():
            for number, one in enumerate(module.network.parameters()):
                one.copy_(0.1 * torch.cos(torch.arange(one.numel(), dtype=one.dtype) + number).view_as(one))
        weights = module.state.weights.values()
        losses.append({term: weights[term] * float(loss.detach()) for term, loss in module.losses(batches).items()})
    assert losses[0] == pytest.approx(losses[1], rel=1e-10)


def test_a_bar_in_si_units_trains_as_one_without_units(quick, tmp_path):
    quick |= {
        "network": {"width": 8, "depth": 1},
        "sampling": {"equations": 60},
        "phases": ["ssbroyden"],
        "operators": {"engine": "autograd"},
        "trainer": {"max_steps": 40},
        "polish": "false",
    }
    found = [solve(of(words), tmp_path / str(E), quick) for E, words in enumerate((SI, PLAIN))]
    errors = [one.metrics["relative_l2"]["u"] for one in found]
    assert errors[1] < 1e-2
    assert 0.5 < errors[0] / errors[1] < 2.0
    reported = (tmp_path / "0" / "config.yaml").read_text()
    assert "scales: true" in reported


def test_a_bar_in_si_units_is_solved_by_features(quick, tmp_path):
    settings = {"method": "features", "callbacks": quick["callbacks"], "logger": quick["logger"]}
    assert solve(of(SI), tmp_path, settings).metrics["relative_l2"]["u"] < 1e-9
