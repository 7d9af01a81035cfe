"""Two processes, each with half of the points: the parameters stay equal to the bit, and those of one process.

This file is also the program of the two processes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares

STEPS = 20  # after 30, ssbroyden has let rounding grow to 1e-8
SETTINGS = {"spring": {"damping": 1e-5}}  # of 40 rows of 15 parameters; with its default a step leaves 1e-9 of rounding
POINTS = 40


def problem():
    """A small network, points and values, the same in every process.

    Its layers are 2 wide, since SOAP's basis is not determined where the first gradient of a layer has a null space of
    two dimensions or more: there rounding chooses, and one process and two would differ.
    """
    torch.manual_seed(0)
    layers = torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)
    network = torch.nn.Sequential(*layers).double()
    points = torch.rand(POINTS, 2, dtype=torch.float64)
    return network, points, torch.sin(2.0 * points[:, :1]) * points[:, 1:]


def trained(name, rank, ranks):
    """The parameters after 20 steps of an optimizer; the closure and the system add up over the processes."""
    network, points, values = problem()
    own = slice(rank, None, ranks)
    parameters = list(network.parameters())
    optimizer = OPTIMIZERS[name](**SETTINGS.get(name, {})).build(parameters)
    if issubclass(OPTIMIZERS[name], LeastSquares):
        optimizer.system = System(network, points[own], values[own], ranks)

    def closure():
        optimizer.zero_grad()
        loss = ((network(points[own]) - values[own]) ** 2).sum() / POINTS
        loss.backward()
        sums = torch.cat([loss.detach().reshape(1), *(one.grad.flatten() for one in parameters)])
        if ranks > 1:
            dist.all_reduce(sums)
        for one, part in zip(parameters, sums[1:].split([one.numel() for one in parameters]), strict=True):
            one.grad.copy_(part.view_as(one))
        return sums[0]

    for _ in range(STEPS):
        optimizer.step(closure)
    return torch.cat([one.detach().flatten() for one in parameters])


class System:
    """The least-squares problem of own points of the two processes, or of all in one.

    gram and product are sums over the processes; rows are gathered, so that each has all of them in the same order.
    """

    def __init__(self, network, points, values, ranks):
        self.names, self.parameters = zip(*network.named_parameters(), strict=True)
        self.network, self.points, self.values, self.ranks = network, points, values, ranks

    def residuals_at(self, flat):
        parts = flat.split([one.numel() for one in self.parameters])
        named = {name: part.view_as(one) for name, part, one in zip(self.names, parts, self.parameters, strict=True)}
        found = torch.func.functional_call(self.network, named, (self.points,))
        return ((found - self.values) / POINTS**0.5).flatten()

    def own(self):
        flat = torch.cat([one.detach().flatten() for one in self.parameters])
        return self.residuals_at(flat), torch.func.jacrev(self.residuals_at)(flat)

    def total(self, tensor):
        if self.ranks > 1:
            dist.all_reduce(tensor)
        return tensor

    def gathered(self, tensor):
        parts = [torch.empty_like(tensor) for _ in range(self.ranks)]
        if self.ranks > 1:
            dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts) if self.ranks > 1 else tensor

    def gram(self):
        r, jacobian = self.own()
        return self.total(jacobian.T @ jacobian), self.total(jacobian.T @ r)

    def rows(self):
        r, jacobian = self.own()
        return self.gathered(r), self.gathered(jacobian)

    def residuals(self):
        return self.gathered(self.own()[0])

    def rows_shape(self):
        return POINTS, sum(one.numel() for one in self.parameters)

    def product(self, vector):
        _, jacobian = self.own()
        return self.total(jacobian.T @ (jacobian @ vector))


def work(rank: int, folder: Path) -> None:
    """What one process does."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.save({name: trained(name, rank, 2) for name in OPTIMIZERS}, folder / f"{rank}.pt")
    dist.barrier()  # a process whose partner has gone while it still closes its connections may abort
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The parameters that each process ends with, by the name of the optimizer."""
    folder = tmp_path_factory.mktemp("ranks")
    from tests.processes import joined  # the program of the processes does without

    joined(Path(__file__), 2, folder, cwd=folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_processes_agree_to_the_bit_and_with_one(name, both):
    first, second = (one[name] for one in both)
    start = torch.cat([one.detach().flatten() for one in problem()[0].parameters()])
    assert torch.equal(first, second)
    alone = trained(name, 0, 1)
    assert float((first - alone).norm()) < 1e-9 * float(alone.norm())
    assert float((first - start).norm()) > 1e-2 * float(alone.norm())


if __name__ == "__main__":
    work(int(os.environ["RANK"]), Path(sys.argv[1]))
