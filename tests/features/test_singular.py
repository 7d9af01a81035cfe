"""Singular problems: what is not determined is named, and nothing else is."""

import pytest
import torch

from pinnkit.features.choice import Choice
from pinnkit.features.error import estimate
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.singular import undetermined
from pinnkit.features.solver import FeatureSolver
from pinnkit.runs.factory import assemble
from pinnkit.runs.shipped_problems import list_problems, read_problem
from pinnkit.sampling.settings import unit_points
from pinnkit.settings import Settings
from tests.features.solvers import solve, solver

LINE = {"coordinates": {"x": [0, 1]}, "fields": ["u"]}
POINTS = torch.linspace(0, 1, 200, dtype=torch.float64)[:, None]
MEAN = {"equations": "integral(u, domain) = 0"}


def around(equation):
    return {"around": {"at": "boundary", "equations": equation}}


def found(words):
    one = solver(words)
    return undetermined(one, Choice("tanh", (2.0,), 0), POINTS)


def test_a_constant_is_free_where_fluxes_alone_are_given_and_not_with_a_gauge():
    words = {**LINE, "equations": "u_xx = cos(pi*x)", "conditions": around("u_n = 0")}
    free = found(words)
    assert free.names == ("u",)
    assert "singular: the solution is determined only up to a constant in u" in free.text
    assert found({**words, "conditions": {**words["conditions"], "mean": MEAN}}) is None


@pytest.mark.parametrize("hard", [False, True])
def test_an_eigenfunction_is_free_at_an_eigenvalue_alone(hard):
    conditions = {"around": {"at": "boundary", "equations": "u = 0", "hard": hard}}
    free = found({**LINE, "equations": "u_xx + pi^2*u = x", "conditions": conditions})
    assert float(free.text.split("largest near x = ")[1].split(" (")[0]) == pytest.approx(0.5, abs=0.05)
    assert found({**LINE, "equations": "u_xx + 1.001*pi^2*u = x", "conditions": conditions}) is None


def test_of_a_sum_that_is_determined_neither_part_is():
    words = {"equations": "u_xx + v_xx = 1", "conditions": around("u + v = 0")}
    free = found({**LINE, "fields": ["u", "v", "w"], **words, "equations": ["u_xx + v_xx = 1", "w_x + w = u + v"],
                  "conditions": {**words["conditions"], "w": {"at": "x = 0", "equations": "w = 0"}}})  # fmt: skip
    assert free.names == ("u", "v")
    assert "at least 6 independent changes of u and v" in free.text


@pytest.mark.parametrize("factor", ["1e-9", "1e9"])
def test_units_do_not_make_a_problem_singular(factor):
    equations = [f"{factor}*p_x = u", f"u_xx = {factor}*p"]
    conditions = {**around("u = 1"), "start": {"at": "x = 0", "equations": "p = 0"}}
    one = solver({**LINE, "fields": ["u", "p"], "equations": equations, "conditions": conditions})
    added = one.add(Choice("tanh", (2.0,), 5))  # a state of the size that the units ask for
    with torch.no_grad():
        added[0].coefficients[:, 0] = 1.0
        added[-1].coefficients[:, -1] = 1.0 / float(factor) / one.network.outputs[-1].scale
    assert undetermined(one, Choice("tanh", (2.0,), 0), POINTS) is None


def test_what_is_determined_keeps_its_estimate():
    conditions = {"start": {"at": "x = 0", "equations": ["v = 1", "u_x = 1"]}}
    words = {**LINE, "fields": ["u", "v"], "equations": ["v_x = v", "u_xx = v"], "conditions": conditions}
    one = solve(words, kind="tanh", range=2.0, count=25)
    answer = estimate(one, one.choice, own=True)
    assert answer.fields["u"] is None
    assert answer.reasons["u"] == answer.singular
    assert "up to a constant in u" in answer.singular
    assert 0 < answer.fields["v"] < 1e-8


DECAY = {
    "coordinates": {"t": [0, 1]},
    "fields": ["u"],
    "parameters": {"a": {"learn": 0.9}, "b": {"learn": 1.1}},
    "equations": "u_t = -a*b*u",
    "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}, "end": {"at": "t = 1", "equations": "u = exp(-1)"}},
}


def test_learned_numbers_of_which_the_product_is_known_are_not():
    one = solve(DECAY, kind="tanh", range=2.0, count=25)
    answer = estimate(one, one.choice, own=True)
    assert answer.learned == {"a": None, "b": None}
    assert "up to a multiple of a change of a and b (" in answer.reasons["a"]


def test_learned_numbers_that_nothing_depends_on_are_named():
    free = found(DECAY)  # where u = 0
    assert free.names == ("a", "b")
    assert "no equation and no condition depends on a and b at this solution" in free.text


@pytest.mark.slow
@pytest.mark.parametrize("name", list_problems())
def test_no_shipped_problem_is_called_singular(name):
    problem = read_problem(name)
    data = any(one.data for one in problem.soft_conditions)  # a field may be a coefficient that is found from it
    if any(one.arguments for one in problem.fields) or problem.learned or data:
        pytest.skip("features cannot solve it, or fields that are zero tell nothing of what is learned")
    module, _ = assemble(problem, Settings(method="features"))
    one = FeatureSolver(module.model, module.groups, FeatureSettings(), 0)
    ranges, size = (2.0,) * len(problem.coordinates), problem.domain.dimension
    points = problem.domain.draw(500, lambda drawn: unit_points("sobol", drawn, size, 0, "singular"))
    assert undetermined(one, Choice("tanh", ranges, 0), torch.as_tensor(points)) is None
