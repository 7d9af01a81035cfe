"""Networks of one's own that do not fit, and what a solution is called with: told in words."""

import pytest
import torch

import pinnkit
from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from tests.runs.small import QUICK, content, solved


class Wrong(torch.nn.Module):
    def __init__(self, outputs, give):
        super().__init__()
        self.layer, self.give = torch.nn.Linear(1, outputs), give

    def forward(self, points):
        return self.give(self.layer(points))


NETWORKS = {
    "inputs": (torch.nn.Linear(2, 1), r"network: fails on points of shape \(5, 1\): RuntimeError: .*takes \(n, 1\)"),
    "outputs": (torch.nn.Linear(1, 2), r"gives \(5, 2\) at points of shape \(5, 1\): \(5, 1\) for u is needed"),
    "flat": (Wrong(1, lambda z: z[:, 0]), r"gives \(5,\) at points of shape \(5, 1\)"),
    "dtype": (Wrong(1, lambda z: z.float()), r"gives torch\.float32 at points of torch\.float64"),
    "nan": (Wrong(1, lambda z: z / 0 * 0), "gives nan within the domain"),
    "tuple": (Wrong(1, lambda z: (z, z)), "gives a tuple and no tensor"),
    "error": (Wrong(1, lambda z: {}["key"]), "fails on points of shape .*KeyError: 'key'"),
    "constant": (torch.nn.Softplus(), "has no parameter that is trained"),
    "function": (torch.sin, "a torch.nn.Module is needed"),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_a_network_that_does_not_fit_is_a_mistake_in_words(case, tmp_path):
    network, message = NETWORKS[case]
    with pytest.raises(ProblemError, match=message):
        solved(tmp_path, network=network)
    assert content(tmp_path) == {}


def test_points_outside_the_domain_and_nan_are_warned_of(tmp_path):
    solution = solved(tmp_path)
    with pytest.warns(UserWarning, match=r"t = 3 lies outside \[0, 1\], .*\(2 of 4 points do\)"):
        solution(t=[0.0, 1.0, -0.5, 3.0])
    with pytest.warns(UserWarning, match="t is NaN at 1 of 2 points"):
        solution(t=[0.5, float("nan")])
    with pytest.warns(UserWarning, match="t = inf lies outside"):
        solution(t=float("inf"))
    assert solution(t=[0.0, 1.0 + 1e-12])["u"].shape == (2,)  # no warning: a rounding error
    assert solution(t=[])["u"].shape == (0,)


def test_a_periodic_coordinate_may_go_on_for_ever(tmp_path):
    words = {
        "coordinates": {"x": [0, 1]},
        "fields": ["u"],
        "periodic": ["x"],
        "equations": "u_xx = sin(2*pi*x)",
        "conditions": {"mean": {"at": "x = 0", "equations": "u = 0"}},
    }
    solution = pinnkit.solve(Problem(**words), tmp_path, QUICK)
    assert solution(x=[0.25])["u"] == pytest.approx(solution(x=[5.25])["u"])
