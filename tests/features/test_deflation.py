"""Newton steps away from known solutions: their length by hand, and the second solution of Bratu's problem."""

import math
from types import SimpleNamespace

import pytest
import torch

import pinnkit
from pinnkit.features.deflation import LONGEST, FarFromKnown
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import Choice, FeatureSolver
from pinnkit.problem.problem import Problem
from tests.conftest import assembled

POINTS = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
BRATU = {
    "name": "bratu",
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "equations": {"bratu": "u_xx + exp(u) = 0"},
    "conditions": {"ends": {"at": "boundary", "equations": "u = 0"}},
}


@pytest.mark.parametrize(
    ("a", "change", "length"),
    [
        (2.0, -1.0, -3.0),  # towards u_1 at the distance r, r^2 = 1/2: (1 + r^2) / (r^2 - 1)
        (3.0, -2.0, 3.0),  # r^2 = 2
        (3.0, 2.0, 3 / 5),  # away from it: (1 + r^2) / (r^2 + 3)
    ],
)
def test_the_length_of_a_step_is_that_of_the_formula(a, change, length):
    """u = a x, u_1 = x at 0 and 1, so r^2 = (a - 1)^2 / 2, and a step to u_1, or as far away from it."""
    state = SimpleNamespace(a=None)

    def write(values):
        state.a = float(values[0])

    far = FarFromKnown(lambda points: state.a * points, [lambda points: points], POINTS)
    before, step = (torch.tensor([one], dtype=torch.float64) for one in (a, change))
    assert far.length(write, before, step) == pytest.approx(length, rel=1e-6)
    assert state.a == a
    unit = torch.full_like(before, 2**0.5)
    assert abs(far.length(write, 1 + unit, -unit)) == LONGEST  # r^2 = 1: without a bound of its own
    assert not far.found_again()
    write([1.001])
    assert far.found_again()


def test_newton_finds_the_upper_solution_of_bratus_problem_from_where_it_finds_the_lower():
    """u = -2 log(cosh((x - 1/2) theta / 2) / cosh(theta / 4)), theta = sqrt(2) cosh(theta / 4): 1.517 or 10.94."""
    module, _ = assembled(BRATU, {"method": "features"})
    theta = 1.5
    for _ in range(40):
        theta = math.sqrt(2) * math.cosh(theta / 4)

    def lower(points):
        return -2 * (((points - 0.5) * theta / 2).cosh() / math.cosh(theta / 4)).log()

    def solved(known):
        solver = FeatureSolver(module.model, module.groups, FeatureSettings(), 0, known=known)
        solver.attached.put([])
        residual = solver.try_choice(Choice("sin", (4.0,), 60), warm=False)
        return residual, module(torch.tensor([[0.5]], dtype=torch.float64)).item()

    residual, highest = solved(())
    assert residual < 1e-4
    assert highest == pytest.approx(2 * math.log(math.cosh(theta / 4)), abs=1e-6)
    residual, highest = solved((lower,))
    assert residual < 0.1
    assert highest == pytest.approx(4.091467, abs=1e-2)


@pytest.mark.slow
def test_a_run_by_features_leaves_the_solution_of_a_run_folder(tmp_path):
    settings = {"method": "features", "features": {"count": 40}, "polish": False}
    settings |= {"callbacks": {"progress": False, "figures": False}, "logger": {"tensorboard": False}}
    first = pinnkit.solve(Problem(**BRATU), tmp_path / "first", settings)
    assert first(x=0.5)["u"] == pytest.approx(0.140539, abs=1e-5)
    second = pinnkit.solve(Problem(**BRATU), tmp_path / "second", {**settings, "deflation": [str(tmp_path / "first")]})
    assert second(x=0.5)["u"] == pytest.approx(4.091467, abs=1e-4)
    told = f"distance from the solution of {tmp_path / 'first'}: 2.65, whose size is 0.102"
    assert told in (tmp_path / "second" / "train.log").read_text()
