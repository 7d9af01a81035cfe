"""Windows of time: the networks of the present one, and of those that are solved."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Fields = Callable[[Tensor, Tensor, nn.ModuleList], Tensor]
"""fields(points (n, d), what the networks are given (n, d), networks) -> (n, fields)."""


class Window(nn.Module):
    """Networks for the times lower <= t <= upper, which are given s t + c in the place of t.

    That maps the window onto the whole time, so that what the networks scale and embed is the same in each.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, networks: nn.ModuleList, scale: Tensor, shift: Tensor, lower: float, upper: float) -> None:
        super().__init__()
        self.networks = networks
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.lower, self.upper = lower, upper

    def fields(self, points: Tensor, fields: Fields) -> Tensor:
        """All fields at points, as these networks give them."""
        return fields(points, points * self.scale + self.shift, self.networks)


class Windows(nn.Module):
    """Which window of time the networks stand for, and copies of them for the windows before.

    Args:
        axis: the index of t.
        lower, upper: ends of the whole domain, d each.

    Attributes:
        solved: the windows before the present one, in the order of time.
        alone: whether the present networks are evaluated at all points, as training does; else each window's at the
            times that it holds: behind the end of the one before, its own end included.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, axis: int, lower: Sequence[float], upper: Sequence[float]) -> None:
        super().__init__()
        self.axis = axis
        self.begin, self.end = float(lower[axis]), float(upper[axis])
        self.register_buffer("scale", torch.ones(len(lower), dtype=torch.float64), persistent=False)
        self.register_buffer("shift", torch.zeros(len(lower), dtype=torch.float64), persistent=False)
        self.lower, self.upper = self.begin, self.end
        self.solved: list[Window] = []
        self.alone = False

    def place(self, lower: float, upper: float) -> None:
        """Let the present networks stand for another window."""
        self.lower, self.upper = lower, upper
        factor = (self.end - self.begin) / (upper - lower)
        self.scale[self.axis] = factor
        self.shift[self.axis] = self.begin - lower * factor

    def close(self, networks: nn.ModuleList) -> None:
        """Keep a copy of the networks, for the present window."""
        kept = copy.deepcopy(networks).requires_grad_(False)
        self.solved.append(Window(kept, self.scale.clone(), self.shift.clone(), self.lower, self.upper))

    def forward(self, points: Tensor, networks: nn.ModuleList, fields: Fields) -> Tensor:
        """All fields at points.

        Args:
            networks: those of the present window.
        """
        if self.alone or not self.solved:
            return fields(points, points * self.scale + self.shift, networks)
        every = [*self.solved, Window(networks, self.scale, self.shift, self.lower, self.upper)]
        number = self._number(points)
        if torch.compiler.is_exporting():  # a graph cannot choose points by their values
            found = every[0].fields(points, fields)
            for index, window in enumerate(every[1:], start=1):
                found = torch.where((number == index)[:, None], window.fields(points, fields), found)
            return found
        places = [(number == index).nonzero()[:, 0] for index in range(len(every))]
        parts = [one.fields(points[place], fields) for one, place in zip(every, places, strict=True) if len(place)]
        if not parts:
            return every[-1].fields(points, fields)
        return torch.cat(parts)[torch.argsort(torch.cat(places))]

    def _number(self, points: Tensor) -> Tensor:
        """The number of the window that holds each point, (n,)."""
        ends = torch.tensor([one.upper for one in self.solved], dtype=points.dtype, device=points.device)
        return (points[:, self.axis, None] > ends).sum(dim=1)

    def _apply(self, fn: Any, recurse: bool = True) -> Windows:
        for one in self.solved:  # they are no modules of this one: what is trained does not hold them
            one._apply(fn, recurse)
        return super()._apply(fn, recurse)

    # ------------------------------------------------------------ as plain data

    def kept(self) -> dict[str, Any]:
        """The windows as plain data on the CPU, for a checkpoint."""
        return {
            "present": [self.lower, self.upper],
            "solved": [
                {
                    "ends": [one.lower, one.upper],
                    "state": {name: value.detach().cpu() for name, value in one.networks.state_dict().items()},
                }
                for one in self.solved
            ],
        }

    def restore(self, kept: Mapping[str, Any], networks: nn.ModuleList) -> None:
        """Set what `kept` gave; the present networks, whose copies get the states, stay as they are."""
        self.solved = []
        for one in kept["solved"]:
            self.place(*one["ends"])
            self.close(networks)
            self.solved[-1].networks.load_state_dict(one["state"])
        self.place(*kept["present"])
