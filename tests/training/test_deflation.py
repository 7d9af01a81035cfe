"""Deflation: the factor on the objective and its gradient by hand, and a second solution that training finds by it."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.deflation import Deflation
from pinnkit.training.distributed import Ranks
from pinnkit.training.module import PINN

SLOPE = {  # u = x and u = -x
    "name": "slope",
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "equations": {"slope": "u_x^2 = 1"},
    "conditions": {"start": {"at": "x = 0", "equations": "u = 0"}},
}
SMALL = {
    "network": {"width": 8, "depth": 1},
    "sampling": {"equations": 40, "redraw_every": None},
    "operators": {"engine": "autograd"},
    "trainer": {"max_steps": 20, "steps_per_batch": 5},
    "phases": ["ssbroyden"],
    "polish": False,
    "callbacks": {"progress": False, "figures": False},
    "logger": {"tensorboard": False},
}


class Line(nn.Module):
    """u = a x."""

    def __init__(self, a):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))

    def forward(self, points):
        return self.a * points


@pytest.mark.parametrize("shards", [None, 2])
def test_the_factor_and_its_gradient_are_those_of_the_formula(shards):
    """u = 3 x and u_1 = x at 0 and 1, J = 4 with the slope 5: |u - u_1|^2 = (a - 1)^2 / 2 = 2, M = 3/2, M^2 = 9/4 with
    the slope -3/2 by a. A second one, u_2 = -x: |u - u_2|^2 = (a + 1)^2 / 2 = 8, the factor 9/8, its square's slope
    -9/64."""
    network = Line(3.0)
    model = SimpleNamespace(network=network, trainable=lambda: {"a": network.a})
    state = SimpleNamespace(model=model, ranks=Ranks(shards=shards))
    batches = {"equations": PointSet(torch.tensor([[0.0], [1.0]], dtype=torch.float64))}
    objective, gradient = (torch.tensor(one, dtype=torch.float64) for one in (4.0, [5.0]))
    found = Deflation(state, [Line(1.0)])(batches, objective, gradient)
    assert [float(found[0]), float(found[1][0])] == pytest.approx([9.0, 2.25 * 5 + 4 * -1.5])
    squares, slopes = [9 / 4, 81 / 64], [-3 / 2, -9 / 64]
    slope = slopes[0] * squares[1] + squares[0] * slopes[1]
    found = Deflation(state, [Line(1.0), Line(-1.0)])(batches, objective, gradient)
    whole = squares[0] * squares[1]
    assert [float(found[0]), float(found[1][0])] == pytest.approx([whole * 4, whole * 5 + 4 * slope])


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The solution that training finds by itself, which is -x."""
    solution = pinnkit.solve(Problem(**SLOPE), tmp_path_factory.mktemp("first") / "run", SMALL)
    assert solution(x=1.0)["u"] == pytest.approx(-1.0, abs=0.05)
    return solution


def test_training_finds_the_other_solution_and_says_how_far_it_is(first, tmp_path):
    """From the same start; the loss that is reported is that of the equations alone."""
    solution = pinnkit.solve(Problem(**SLOPE), tmp_path, {**SMALL, "deflation": [str(first.folder)]})
    assert solution(x=1.0)["u"] == pytest.approx(1.0, abs=0.05)
    assert solution.metrics["loss"] < 1e-2
    log = (tmp_path / "train.log").read_text()
    assert f"distance from the solution of {first.folder}: 1.1" in log
    assert "found again" not in log


def test_a_resumed_run_leaves_the_known_solution_to_the_bit(first, tmp_path, monkeypatch):
    original = PINN.training_step

    def trained(name, until, **options):
        def step(self, block, batch_idx):
            original(self, block, batch_idx)
            if self.progress.step >= until:
                self.stop("it is enough")

        monkeypatch.setattr(PINN, "training_step", step)
        settings = {**SMALL, "phases": [{"name": "adam", "steps": 5}, "ssbroyden"], "deflation": [str(first.folder)]}
        settings["trainer"] = {"max_steps": 12, "steps_per_batch": 2}
        module = pinnkit.solve(Problem(**SLOPE), tmp_path / name, settings, **options).module
        return torch.cat([one.detach().flatten() for one in module.parameters()])

    whole = trained("whole", 99)
    trained("parts", 6)
    assert torch.equal(trained("parts", 99, resume=True), whole)


def test_known_solutions_that_are_none_are_refused(first, tmp_path):
    def told(words=SLOPE, **changes):
        with pytest.raises(pinnkit.ProblemError) as error:
            pinnkit.solve(Problem(**words), tmp_path / "run", {**SMALL, "deflation": [str(first.folder)], **changes})
        return str(error.value)

    assert "deflation[1]: " in told(deflation=[str(tmp_path / "none")])
    other = {**SLOPE, "fields": ["v"], "equations": {"slope": "v_x^2 = 1"}, "conditions": {}}
    assert f"deflation[1]: {first.folder} has u of x, and this problem v of x" in told(other)
    assert "phases[1]: gauss_newton needs the Jacobian of the residuals" in told(phases=["gauss_newton"])
