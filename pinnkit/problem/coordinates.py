"""The coordinates of a problem and their roles: space, time or parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

TIME = "t"
"""The name of the time coordinate. Nothing else compares names: the role is asked for."""


class Role(Enum):
    """What a coordinate means.

    The Laplacian, grad, div and the normal act on space alone; time and parameters have no boundary.
    """

    SPACE = "space"
    TIME = "time"
    PARAMETER = "parameter"


@dataclass(frozen=True)
class Coordinate:
    """An input of the network: its name, its role, and whether it counts by its logarithm."""

    name: str
    role: Role
    logarithmic: bool = False


@dataclass(frozen=True)
class Coordinates:
    """The coordinates in the order of the network's inputs.

    >>> axes = Coordinates.named(["x", "t", "nu"], parameters=["nu"])
    >>> axes.space, axes.time, axes.parameters
    (('x',), 't', ('nu',))
    """

    axes: tuple[Coordinate, ...]

    @classmethod
    def named(
        cls, names: Iterable[str], parameters: Collection[str] = (), logarithmic: Collection[str] = ()
    ) -> Coordinates:
        """Decide the role of each coordinate: parameter where it is among `parameters`, time where it is named t."""
        return cls(tuple(Coordinate(name, _role(name, parameters), name in logarithmic) for name in names))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.axes)

    @property
    def space(self) -> tuple[str, ...]:
        return self._of(Role.SPACE)

    @property
    def time(self) -> str | None:
        """The time coordinate, None for a steady problem."""
        return next(iter(self._of(Role.TIME)), None)

    @property
    def parameters(self) -> tuple[str, ...]:
        return self._of(Role.PARAMETER)

    @property
    def logarithmic(self) -> tuple[str, ...]:
        """The coordinates that are spread, and scaled for the network, by their logarithm."""
        return tuple(one.name for one in self.axes if one.logarithmic)

    def _of(self, role: Role) -> tuple[str, ...]:
        return tuple(one.name for one in self.axes if one.role is role)


def _role(name: str, parameters: Collection[str]) -> Role:
    if name in parameters:
        return Role.PARAMETER
    return Role.TIME if name == TIME else Role.SPACE
