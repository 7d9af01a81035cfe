"""VTK's files, for ParaView, VisIt and PyVista."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.reporting.vtk_files import write_rectilinear, write_series, write_unstructured
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, NetworkExporter, Subject

NAME = "solution"
FOLDER = "solution_vtk"
"""The files of each time."""
POINTS = {1: 1001, 2: 201, 3: 41}
MANY = 21
"""Points along each coordinate, by the number of coordinates; in more."""

Values = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


@NETWORK_EXPORTERS.register("vtk")
@dataclass(frozen=True)
class VTK(NetworkExporter):
    """Fields and reference on a rectilinear grid (.vtr) in a box, on triangles or tetrahedra (.vtu) in a shape.

    With time: a file for each time in solution_vtk/, and solution.pvd, which opens them as a series. Parameters of a
    family are axes behind those of space. A complex field h is written as h_re and h_im.
    """

    def save(self, folder: Path, subject: Subject) -> Path:
        problem = subject.module.problem
        names = [name for name in problem.coordinates if name != problem.time] or list(problem.coordinates)
        names.sort(key=lambda name: name not in problem.space)
        if len(names) > 3:
            message = f"VTK has three axes, and {len(names)} coordinates ({', '.join(names)}) are no time"
            raise ProblemError([Mistake("export", f"{message}: write export=csv or export=netcdf")])
        axes = {name: _axis(subject, name) for name in problem.coordinates}
        write = _in_box if problem.domain.fills_bounds else _in_shape
        frame, extension = write(subject, {name: axes[name] for name in names})
        for former in [
            *folder.glob(f"{NAME}.vt[ru]"),
            *folder.glob(f"{NAME}.pvd"),
            *(folder / FOLDER).glob("*.vt[ru]"),
        ]:
            former.unlink()
        if problem.time is None or problem.time in names:
            path = folder / f"{NAME}.{extension}"
            frame(path, {})
            return path
        (folder / FOLDER).mkdir(exist_ok=True)
        files = {}
        for number, time in enumerate(axes[problem.time].tolist()):
            files[time] = folder / FOLDER / f"{NAME}_{number:04d}.{extension}"
            frame(files[time], {problem.time: time})
        write_series(folder / f"{NAME}.pvd", files)
        return folder / f"{NAME}.pvd"


def _axis(subject: Subject, name: str) -> np.ndarray:
    """The values of a coordinate: those of the evaluation where it was on a grid."""
    if subject.found.grid.structured:
        return subject.found.grid.axis(name)
    problem = subject.module.problem
    return problem.domain.axis(name, subject.per_coordinate or POINTS.get(len(problem.coordinates), MANY))


def _in_box(subject: Subject, axes: Mapping[str, np.ndarray]) -> tuple[Callable, str]:
    mesh = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))

    def frame(path: Path, at: Mapping[str, float]) -> None:
        write_rectilinear(path, axes, _values(subject, mesh, at), subject.metadata)

    return frame, "vtr"


def _in_shape(subject: Subject, axes: Mapping[str, np.ndarray]) -> tuple[Callable, str]:
    from pinnkit.runs.cells import named, simplices, solid_in_space

    problem = subject.module.problem
    solid = solid_in_space(problem)
    cells = simplices(solid, axes)
    names = list(solid.coordinates)
    for name in axes:
        if name not in names:
            cells = cells.through(axes[name])
            names.append(name)
    if cells.corners.shape[1] > 4 and cells.corners.shape[1] != 6:
        raise ProblemError([Mistake("export", "vtk has no cells for this shape: write export=csv or export=netcdf")])

    def frame(path: Path, at: Mapping[str, float]) -> None:
        values = _values(subject, named(cells, names), at)
        write_unstructured(path, names, cells.points, cells.corners, values, subject.metadata)

    return frame, "vtu"


def _values(subject: Subject, points: Mapping[str, np.ndarray], at: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Fields at points, and the reference where it can be evaluated anywhere."""
    from pinnkit.runs.evaluation import predict

    first = next(iter(points.values()))
    given = {name: points[name] if name in points else np.full(first.shape, at[name])
             for name in subject.module.problem.coordinates}  # fmt: skip
    found = predict(subject.module, given)
    reference = subject.reference
    if reference is not None and reference.grid is None:
        found |= {f"{name}_reference": values for name, values in reference(given).items()}
    return found
