"""Point sets: collocation points and everything that belongs to each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

Array = Any
"""A NumPy array in sampling, a torch tensor in training."""
COLUMN = "columns."


@dataclass(frozen=True)
class PointSet:
    """n points in d coordinates. The loss of a term there is the sum of share * weight * |residual|^2.

    Attributes:
        coordinates: (n, d).
        columns: name -> (n, 1), further values that equations read.
        normals: (n, d), the outward unit normal at each point; None: there is none.
        weights: (n, 1), a factor of each point's squared residual; None: 1.
        shares: (n, 1), what each point counts in the mean of its group, where these are a part of the group's points;
            None: 1 / n, they are the whole group.
    """

    coordinates: Array
    columns: Mapping[str, Array] = field(default_factory=dict)
    normals: Array | None = None
    weights: Array | None = None
    shares: Array | None = None

    def __len__(self) -> int:
        return len(self.coordinates)

    def take(self, index: Array | slice) -> PointSet:
        """The points at these indices as a group of their own: each counts 1 / their number in the mean."""
        return replace(self, shares=None).mapped(lambda one: one[index])

    def part(self, index: Array | slice, counted: Array | None = None) -> PointSet:
        """The points at these indices as a part of this group: each keeps its share of the mean.

        counted: mask of the taken points that count; the others, which fill up a shape, get the share zero.
        """
        part = replace(self, shares=self.all_shares()).mapped(lambda one: one[index])
        return part if counted is None else replace(part, shares=part.shares * counted[:, None])

    def mapped(self, function: Callable[[Array], Array]) -> PointSet:
        """The set with a function applied to each array, which keeps the points and their order."""
        return PointSet.of_arrays({name: function(one) for name, one in self.arrays().items()})

    def to(self, device: Any) -> PointSet:
        """The set with each tensor on a device."""
        return self.mapped(lambda one: one.to(device))

    @staticmethod
    def concatenated(parts: Sequence[PointSet]) -> PointSet:
        """The points of several sets of NumPy arrays, one after the other.

        Normals are kept where every part has them; points without a weight have the weight 1.

        Raises:
            ValueError: the parts have different columns, or only some of them are parts of a group.
        """
        first = parts[0]
        if any(part.columns.keys() != first.columns.keys() for part in parts):
            found = "; ".join(", ".join(sorted(part.columns)) or "none" for part in parts)
            raise ValueError(f"the parts have different columns: {found}")
        if any((part.shares is None) != (first.shares is None) for part in parts):
            raise ValueError("some of the parts have shares in a mean and some have none")
        if any(part.weights is not None for part in parts):
            parts = [part if part.weights is not None else replace(part, weights=part.filled(1.0)) for part in parts]
        if any(part.normals is None for part in parts):
            parts = [replace(part, normals=None) for part in parts]
        arrays = [part.arrays() for part in parts]
        return PointSet.of_arrays({name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]})

    # ------------------------------------------------------------ the mean

    def all_shares(self) -> Array:
        """What each point counts in the mean of its group, (n, 1)."""
        return self.filled(1 / len(self)) if self.shares is None else self.shares

    def factors(self) -> Array:
        """The factor of each point's squared residual in the loss, share * weight, (n, 1)."""
        return self.all_shares() if self.weights is None else self.all_shares() * self.weights

    def filled(self, value: float) -> Array:
        """The same value at each point, (n, 1), in the type of the coordinates."""
        like = self.coordinates
        if isinstance(like, np.ndarray):
            return np.full((len(self), 1), value, dtype=like.dtype)
        return like.new_full((len(self), 1), value)

    # ------------------------------------------------------------ by name

    def arrays(self) -> dict[str, Array]:
        """Every array by its name, in a fixed order: what there is, columns as `columns.NAME`."""
        found = {"coordinates": self.coordinates, "shares": self.shares}
        found |= {"weights": self.weights, "normals": self.normals}
        found |= {f"{COLUMN}{name}": self.columns[name] for name in sorted(self.columns)}
        return {name: one for name, one in found.items() if one is not None}

    @staticmethod
    def of_arrays(arrays: Mapping[str, Array]) -> PointSet:
        """The set that has these arrays, named as `arrays` names them."""
        columns = {name.removeprefix(COLUMN): one for name, one in arrays.items() if name.startswith(COLUMN)}
        own = {one.name: arrays.get(one.name) for one in fields(PointSet) if one.name != "columns"}
        return PointSet(columns=columns, **own)
