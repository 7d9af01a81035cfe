from __future__ import annotations

import csv

import numpy as np
import pytest

from pinnkit.reporting.export.csv import CSV
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.reporting.grid import Grid


def mesh(**axes) -> Grid:
    return Grid(dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True)), structured=True)


def test_round_trip_to_the_bit(tmp_path):
    generator = np.random.default_rng(0)
    grid = mesh(x=np.linspace(-1, 1, 7), t=np.geomspace(1e-300, 1e300, 5))
    u = generator.standard_normal((7, 5)) * 10.0 ** generator.integers(-300, 300, (7, 5))
    u[0, :4] = [np.nan, -0.0, 5e-324, np.inf]
    CSV().write(tmp_path / "u.csv", grid, {"u": u, "v": np.float32(u[::-1] / 1e280)})
    with (tmp_path / "u.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["x", "t", "u", "v"]
    read = np.array([[float(cell) for cell in row] for row in rows])
    expected = [grid.coordinates["x"], grid.coordinates["t"], u, np.float64(np.float32(u[::-1] / 1e280))]
    for column, values in zip(read.T, expected, strict=True):
        assert column.tobytes() == values.ravel().tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["u.csv"]


def test_scattered_points_are_one_row_each(tmp_path):
    grid = Grid({"x": np.array([0.5, 0.1]), "y": np.array([1.0, 2.0])}, structured=False)
    CSV().write(tmp_path / "u.csv", grid, {"u": np.array([3.0, 4.0])})
    assert (tmp_path / "u.csv").read_bytes() == b"x,y,u\n0.5,1.0,3.0\n0.1,2.0,4.0\n"


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_format_is_written_whole(name, tmp_path):
    exporter = EXPORTERS[name]()
    path = tmp_path / f"u.{exporter.extension}"
    exporter.write(path, mesh(x=np.linspace(0, 1, 3), t=np.linspace(0, 1, 2)), {"u": np.ones((3, 2))})
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size > 0


def test_mistakes_are_named_and_write_nothing(tmp_path):
    grid = mesh(x=np.linspace(0, 1, 3), t=np.linspace(0, 1, 2))
    with pytest.raises(ValueError, match=r"'u' has shape \(2, 3\); expected the grid's shape \(3, 2\)"):
        CSV().write(tmp_path / "u.csv", grid, {"u": np.ones((2, 3))})
    with pytest.raises(ValueError, match="column 'x' has the name of a coordinate"):
        CSV().write(tmp_path / "u.csv", grid, {"x": np.ones((3, 2))})
    with pytest.raises(ValueError, match="there is no folder"):
        CSV().write(tmp_path / "missing" / "u.csv", grid, {})
    assert list(tmp_path.iterdir()) == []


def test_grids_are_checked():
    x, t = np.linspace(0, 1, 3), np.linspace(0, 1, 3)
    with pytest.raises(ValueError, match="'x' varies along more than its own axis"):
        Grid(dict(zip("xt", np.meshgrid(x, t, indexing="xy"), strict=True)), structured=True)
    with pytest.raises(ValueError, match=r"have shapes \{'x': \(3,\), 't': \(2,\)\}"):
        Grid({"x": x, "t": t[:2]}, structured=False)
    with pytest.raises(ValueError, match="one axis for each coordinate"):
        Grid({"x": x, "t": t}, structured=True)
    with pytest.raises(ValueError, match="scattered"):
        Grid({"x": np.ones((3, 1))}, structured=False)
    with pytest.raises(ValueError, match="no points"):
        Grid({"x": np.ones(0)}, structured=False)


def test_axes_and_planes_of_a_grid():
    grid = mesh(x=np.array([1.0, 2.0]), y=np.array([3.0, 4.0, 5.0]), t=np.array([0.0, 9.0]))
    assert grid.axis("y").tolist() == [3.0, 4.0, 5.0]
    values = 100 * grid.coordinates["x"] + 10 * grid.coordinates["y"] + grid.coordinates["t"]
    assert grid.plane(values, "x", "y", {"t": 1}).tolist() == [[139, 239], [149, 249], [159, 259]]
    assert grid.plane(values, "t", "x", {"y": 0}).tolist() == [[130, 139], [230, 239]]
