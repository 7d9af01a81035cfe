from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy.io import netcdf_file

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


# What every format must do


@pytest.fixture(params=list(EXPORTERS))
def exporter(request):
    return EXPORTERS[request.param]()


GRIDS = {
    "one axis": mesh(x=np.linspace(0, 1, 3)),
    "two axes": mesh(x=np.linspace(0, 1, 3), t=np.linspace(0, 1, 2)),
    "three axes": mesh(x=np.linspace(0, 1, 3), y=np.linspace(0, 2, 4), t=np.linspace(0, 1, 2)),
    "scattered": Grid({"x": np.array([0.5, 0.1]), "y": np.array([1.0, 2.0])}, structured=False),
}


def netcdf(path):
    with netcdf_file(path, mmap=False) as file:
        read = {name: np.array(one[:]) for name, one in file.variables.items()}
    shape = max((values.shape for values in read.values()), key=len)
    axes = np.meshgrid(*(read[name] for name in "xyt" if name in read), indexing="ij") if len(shape) > 1 else []
    return {**read, **dict(zip([name for name in "xyt" if name in read], axes, strict=False))}


READERS = {
    "csv": lambda path: np.genfromtxt(path, delimiter=",", names=True),
    "npz": lambda path: dict(np.load(path)),
    "netcdf": netcdf,
}
"""Format -> what reads it into columns by name; a format that is not here is not read back."""


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_every_format_is_written_whole_and_reads_back(exporter, grid, tmp_path):
    path, shape = tmp_path / f"u.{exporter.extension}", next(iter(grid.coordinates.values())).shape
    values = np.random.default_rng(0).standard_normal((2, *shape))
    exporter.write(path, grid, dict(zip("uv", values, strict=True)))
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size > 0
    if exporter.name in READERS:
        read = READERS[exporter.name](path)
        for name, column in {**grid.coordinates, **dict(zip("uv", values, strict=True))}.items():
            np.testing.assert_array_equal(np.ravel(read[name]), column.ravel())


def test_the_same_table_gives_the_same_bytes_and_replaces_the_former(exporter, tmp_path):
    path, other = (tmp_path / f"{name}.{exporter.extension}" for name in "ab")
    for one, factor in ((path, 1.0), (other, 2.0), (other, 1.0)):
        exporter.write(one, GRIDS["two axes"], {"u": np.full((3, 2), factor)})
    assert path.read_bytes() == other.read_bytes()


def test_a_file_that_cannot_be_written_to_its_end_leaves_the_former(exporter, tmp_path, monkeypatch):
    path = tmp_path / f"u.{exporter.extension}"
    exporter.write(path, GRIDS["two axes"], {"u": np.ones((3, 2))})
    former, save = path.read_bytes(), type(exporter).save

    def stopped(self, path, table):
        save(self, path, table)
        raise OSError("no space left on device")

    monkeypatch.setattr(type(exporter), "save", stopped)
    with pytest.raises(OSError, match="no space left"):
        exporter.write(path, GRIDS["two axes"], {"u": np.zeros((3, 2))})
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == former


def test_mistakes_are_named_and_write_nothing(exporter, tmp_path):
    grid, path = GRIDS["two axes"], tmp_path / f"u.{exporter.extension}"
    with pytest.raises(ValueError, match=r"'u' has shape \(2, 3\); expected the grid's shape \(3, 2\)"):
        exporter.write(path, grid, {"u": np.ones((2, 3))})
    with pytest.raises(ValueError, match="column 'x' has the name of a coordinate"):
        exporter.write(path, grid, {"x": np.ones((3, 2))})
    with pytest.raises(ValueError, match="there is no folder"):
        exporter.write(tmp_path / "missing" / path.name, grid, {})
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
