"""The solution of a run: its fields at any points, what follows from them, its metrics and its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from torch import nn

from pinnkit.problem.notebook import in_latex
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference, choose
from pinnkit.runs import evaluation
from pinnkit.runs.animation import FRAMES, animate_field
from pinnkit.runs.datasets import dataset
from pinnkit.runs.export import export_module
from pinnkit.runs.expressions import Expression, Residual, equation_names
from pinnkit.runs.factory import assemble
from pinnkit.runs.given_points import checked_points
from pinnkit.runs.learned import learned
from pinnkit.runs.plots import figure_of
from pinnkit.runs.point_function import PointFunction
from pinnkit.runs.solution_file import write
from pinnkit.runs.solution_text import in_a_line, in_a_notebook
from pinnkit.runs.threads import single_thread_if_small
from pinnkit.settings import Settings
from pinnkit.training.feature_state import load_state, saved_state
from pinnkit.training.module import PINN

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Solution:
    """A trained network with the status, the metrics, the folder and the settings of its run.

    `solution(x=..., t=...)` gives every field at points, as NumPy arrays by name: float64, complex128 of a complex
    field. Coordinates are numbers, lists, NumPy arrays or torch tensors, which are broadcast to one shape. It warns of
    points outside the domain, where the network was not trained, and of coordinates that are NaN.

    Attributes:
        status: finished, interrupted or diverged, as in metrics.json; trained after a Trainer of one's own.
        metrics: the content of metrics.json.
        folder: the run folder; None where it has none.
        module: the LightningModule.
        settings: those of the run, with every default that depends on the problem filled in.

    Raises:
        ValueError: at a call: a coordinate is missing, unknown or no array of numbers, or they do not broadcast.

    >>> from pinnkit.runs.pinn import PINN
    >>> problem = Problem(coordinates={"x": [0, 1]}, fields=["u"], equations={"poisson": "u_xx = 1"},
    ...                   conditions={"ends": {"at": "boundary", "equations": "u = 0", "hard": True}})
    >>> solution = PINN(problem, {"network": {"width": 5, "depth": 1}}).solution()
    >>> solution(x=[[0, 0.5], [0.7, 1]])["u"].shape
    (2, 2)
    >>> bool(np.isclose(solution.residual("poisson")(x=0.3), solution.derivative("u_xx")(x=0.3) - 1))
    True
    """

    status: str
    metrics: Mapping[str, Any]
    folder: Path | None
    module: PINN
    settings: Settings

    @property
    def problem(self) -> Problem:
        """The problem as it was solved."""
        return self.module.problem

    @property
    def verdict(self) -> str | None:
        """Whether the answer is to be trusted, in a word: solved, falling, stalled, unsolved or unknown; None: the run
        has not ended."""
        return self.metrics.get("verdict")

    @property
    def learned(self) -> dict[str, float]:
        """The values of the learned parameters, and of what is derived from them."""
        return {name: one["value"] for name, one in learned(self.module).items()}

    @property
    def estimated_error(self) -> dict[str, float | None]:
        """The estimated relative L2 error of each field, which needs no reference; None where it is not known."""
        return dict(self.metrics.get("estimated_error") or {})

    def __call__(self, **coordinates: Any) -> dict[str, np.ndarray]:
        points = checked_points(self.problem, coordinates)
        with single_thread_if_small(self.problem, self.settings):  # as in the run: sums depend on it
            return evaluation.predict(self.module, points)

    def derivative(self, expression: str) -> PointFunction:
        """A derivative of the trained fields, or any expression of the problem language, as a function of points.

        Derivatives are exact (automatic differentiation of the network), not differences.

        Args:
            expression: `u_xx`, `u_t`, `div(u, v)`, `-k*u_x`, `laplacian(u)`, `diff(u*v, x)`, `abs(h)^2`, `u.left_x` ...
                of fields, coordinates, parameters (learned ones have their trained values), tables and definitions.

        Returns:
            function(x=..., t=...) -> array of the shape to which the coordinates broadcast; complex128 where the
            expression is complex. Of a field with parts the function of the part is taken in which a point lies; NaN
            in none. The unit is that of the expression: of u_xx the unit of u over that of x squared.

        Raises:
            ProblemError: the text is no expression of this problem; the message has the place of the mistake.

        >>> from pinnkit.runs.pinn import PINN
        >>> problem = Problem(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = -u",
        ...                   conditions={"start": {"at": "t = 0", "equations": "u = 1", "hard": True}})
        >>> solution = PINN(problem, {"network": {"width": 5, "depth": 1}}).solution()
        >>> t = np.linspace(0, 1, 1001)
        >>> differences = np.gradient(solution(t=t)["u"], t)
        >>> bool(np.allclose(solution.derivative("u_t")(t=t)[1:-1], differences[1:-1], atol=1e-5))
        True
        """
        return PointFunction(expression, self, Expression(self.module, expression))

    def residual(self, name: str | None = None) -> PointFunction:
        """The residual of an equation, left - right, as a function of points; of all equations without a name.

        Args:
            name: of an equation in the problem file.

        Returns:
            function(x=..., t=...) -> array of the shape to which the coordinates broadcast, complex128 of a complex
            equation; NaN outside the part of the domain where the equation holds. Without a name a dictionary of these.

        Raises:
            ValueError: no equation has that name.
        """
        if name is not None:
            return PointFunction(name, self, Residual(self.module, name))
        every = {one: Residual(self.module, one) for one in equation_names(self.problem)}
        return PointFunction("residuals", self, lambda points: {one: found(points) for one, found in every.items()})

    def error(self, points: int | None = None) -> dict[str, dict[str, float]]:
        """The error of each field against the reference of the run: exact, manufactured, a table, or computed.

        `relative_l2` is |u - r| / |r| in the Euclidean norm over the points, `max_error` the largest |u - r|, in the
        unit of the field.

        Args:
            points: along each coordinate; None: as at the end of a run. A table is compared at its own points.

        Raises:
            ValueError: there is no reference.
            ProblemError: the reference cannot be read or computed.

        >>> from pinnkit.runs.pinn import PINN
        >>> problem = Problem(coordinates={"x": [0, 1]}, fields=["u"], equations="u_xx = 2", exact={"u": "x^2 - x"},
        ...                   conditions={"ends": {"at": "boundary", "equations": "u = 0", "hard": True}})
        >>> sorted(PINN(problem, {"network": {"width": 5, "depth": 1}}).solution().error()["u"])
        ['max_error', 'relative_l2']
        """
        if self.reference is None:
            hint = "give exact: or reference: in the problem, or reference= in the settings"
            raise ValueError(f"there is no reference, so that no error can be measured: {hint}")
        with single_thread_if_small(self.problem, self.settings):
            return evaluation.Errors(self.module, self.reference, points).norms()

    @cached_property
    def reference(self) -> Reference | None:
        """What the fields are compared with; a computed one is computed when it is first asked for."""
        return choose(self.problem, self.settings.reference, self.settings.reference_max_time)

    def plot(self, what: str = "", *, points: int | None = None) -> Figure:
        """A figure of the solution, as the run folder has it: Matplotlib's, to show, change or save.

        Args:
            what: a field, or the name of a figure: `solution_u`, `reference_u`, `error_u`, `slices_u` (curves at
                several times, or planes), `phase_h`, `residual_NAME`, `phase_portrait`; by default the first field.
            points: along each coordinate; None: as at the end of a run.

        Raises:
            ValueError: there is no such figure; the message names those that there are.
        """
        with single_thread_if_small(self.problem, self.settings):
            return figure_of(self.module, self.reference, what, points)

    def animate(self, path: Path | str, field: str = "", *, frames: int = FRAMES) -> Path:
        """Write a field in time as an animation, 15 frames a second, a .gif or a .mp4; its path.

        Args:
            field: by default the first that depends on time; of a complex one the modulus.
            frames: values of time.

        Raises:
            ValueError: there is no such field, no time, no space, or no encoder of MP4.
        """
        with single_thread_if_small(self.problem, self.settings):
            return animate_field(self.module, self.reference, Path(path), field, frames)

    def to_xarray(
        self, points: int | None = None, *, reference: bool = False, **axes: float | Sequence[float] | np.ndarray
    ) -> xarray.Dataset:
        """The fields on a grid as an xarray.Dataset: `solution.to_xarray(x=np.linspace(0, 1, 5)).u.sel(x=0.5)`.

        Each coordinate is a dimension; in four or more coordinates, unless all axes are given, the points are scattered
        and have one, `point`. Fields are NaN outside the domain. Units are attributes of coordinates and fields; name,
        description, equations, status and errors are attributes of the dataset.

        Args:
            points: along each coordinate for which no values are given; None: as at the end of a run.
            reference: whether the reference is added, as `u_reference`.
            axes: values of coordinates, a number or (n,) each.

        Raises:
            ImportError: xarray is not installed.
            ValueError: an axis is unknown or has no values, or the reference is asked for and there is none.
        """
        if reference and self.reference is None:
            raise ValueError("reference=True: there is no reference")
        with single_thread_if_small(self.problem, self.settings):
            chosen = self.reference if reference else None
            return dataset(self.module, chosen, points, axes, self.status, self.metrics)

    def export(self, *formats: str, folder: Path | str | None = None, points: int | None = None) -> list[Path]:
        """Write the solution for other programs, `solution.export("vtk", "onnx")`; the paths of the files.

        Args:
            formats: csv, npz, netcdf, vtk; onnx and pt2 hold the map from coordinates to fields itself.
            folder: where solution.* is written; by default `evaluation` in the run folder.
            points: along each coordinate, in formats that hold values; None: as at the end of a run.

        Raises:
            ValueError: there is no run folder, and none is given.
            ProblemError: there is no such format, it lacks a package, or it cannot hold the problem.
        """
        if folder is None and self.folder is None:
            raise ValueError("this solution has no run folder: say where to, folder=...")
        place = cast(Path, self.folder) / "evaluation" if folder is None else Path(folder)
        with single_thread_if_small(self.problem, self.settings):
            return export_module(self.module, self.reference, self.metrics, self.settings.dtype, formats, place, points)

    def save(self, path: Path | str) -> Path:
        """Write the solution to one file, which `pinnkit.load` reads: problem, settings, network, metrics.

        The data files that the problem names are in it. It holds numbers and texts alone, so that it is safe to load
        from others; parts given in Python (a residual, a network) are not in it, and are given to `load` again.

        Args:
            path: of the file; a former one is replaced.

        Raises:
            OSError: it cannot be written.
        """
        return write(Path(path), self.module, self.settings, self.status, self.metrics)

    def __repr__(self) -> str:
        return in_a_line(self.problem, self.status, self.metrics, self.folder)

    def _repr_markdown_(self) -> str:
        return in_a_notebook(self.problem, self.status, self.metrics, self.folder)

    def _repr_latex_(self) -> str:
        return in_latex(self.problem)

    def __reduce__(self) -> tuple[Any, ...]:
        network = self.module.network.own
        state = saved_state(self.module, self.module.model)
        return rebuilt, (self.status, self.metrics, self.folder, self.settings, self.problem, network, state)


def rebuilt(
    status: str,
    metrics: Mapping[str, Any],
    folder: Path | None,
    settings: Settings,
    problem: Problem,
    network: nn.Module | None,
    state: Mapping[str, Any],
) -> Solution:
    """A solution of its parts, as copies and pickles hold it: without the engines and the points of training."""
    module, _ = assemble(problem, settings, network)
    load_state(module, module.model, state)
    return Solution(status, metrics, folder, module, settings)
