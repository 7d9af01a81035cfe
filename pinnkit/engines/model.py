"""The trained parameters, as names and values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pinnkit.networks.bounded import bounded, unbounded
from pinnkit.problem.problem import Problem


@dataclass(frozen=True)
class Model:
    """What is trained, as names and values: the network's parameters and the problem's learned ones."""

    problem: Problem
    network: nn.Module
    learned: nn.ParameterDict
    values: dict[str, float] = field(default_factory=dict)
    """Parameters that have other values than the problem's own at present, with these."""

    @property
    def like(self) -> Tensor:
        """A tensor of the dtype and on the device of the network."""
        return next(itertools.chain(self.network.parameters(), self.network.buffers()))

    def trainable(self) -> dict[str, nn.Parameter]:
        """Every trained parameter; the network's come first, in the order of a module that holds both."""
        network = {f"network.{name}": one for name, one in self.network.named_parameters() if one.requires_grad}
        return network | {f"learned.{name}": one for name, one in self.learned.items()}

    def constants(self, like: Tensor) -> Tensor:
        """The values of the parameters that are not learned, and of `placing`."""
        fixed = [self.values.get(one.name, one.value) for one in self.problem.parameters if not one.learn]
        fixed += [value for one in self.placing.values() for value in one.tolist()]
        return torch.tensor(fixed, dtype=like.dtype, device=like.device)

    @property
    def placing(self) -> dict[str, Tensor]:
        """What places the networks in their window of time, by name; it changes from window to window."""
        buffers = dict(self.network.named_buffers()) if getattr(self.network, "windows", None) is not None else {}
        return {name: one for name, one in buffers.items() if name.startswith("windows.")}

    def placed(self, constants: Tensor) -> dict[str, Tensor]:
        """The same from the `constants`."""
        sizes = [len(one) for one in self.placing.values()]
        parts = constants[len(constants) - sum(sizes) :].split(sizes) if sizes else ()
        return dict(zip(self.placing, parts, strict=True))

    def parameters(self, learned: Mapping[str, Tensor], constants: Tensor) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor; a learned one within its bounds."""
        fixed = iter(constants.unbind())
        values = {}
        for one in self.problem.parameters:
            if not one.learn:
                values[one.name] = next(fixed)
            else:
                values[one.name] = bounded(learned[one.name], one.bounds.lower, one.bounds.upper)
        return values


def learned_parameters(problem: Problem) -> nn.ParameterDict:
    """What is trained for each learned parameter, at its start: a number without bounds."""
    starts = {one.name: unbounded(one.value, one.bounds.lower, one.bounds.upper) for one in problem.learned}
    return nn.ParameterDict({name: nn.Parameter(torch.tensor(z, dtype=torch.float64)) for name, z in starts.items()})
