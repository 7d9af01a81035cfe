"""Values in NetCDF and VTK files are those of the network, in boxes and in shapes."""

import base64
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from scipy.io import netcdf_file

from pinnkit.problem.problem import Problem
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.runs import evaluation
from pinnkit.runs.cells import simplices, solid_in_space
from pinnkit.runs.export import export
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS
from tests.runs.export_cases import CASES, DISK, subject


def arrays(path):
    """The arrays of a VTK file by name, and the dimension of its extent."""
    root = xml.parse(path).getroot()
    kinds = {"Float64": "<f8", "Int64": "<i8", "UInt8": "u1"}
    found = {}
    for one in root.iter("DataArray"):
        raw = base64.b64decode(one.text)
        assert int.from_bytes(raw[:8], "little") == len(raw) - 8
        found[one.get("Name")] = np.frombuffer(raw[8:], kinds[one.get("type")])
    return root[0].tag, found


def real(name, values):
    return {f"{name}_re": values.real, f"{name}_im": values.imag} if np.iscomplexobj(values) else {name: values}


@pytest.mark.parametrize("name", list(CASES))
def test_netcdf_holds_the_grid_with_units_and_metadata(name, tmp_path):
    one = subject({**CASES[name], "units": {"x": "m"}})
    grid, fields = one.found.grid, one.found.fields
    EXPORTERS["netcdf"]().write(tmp_path / "u.nc", grid, fields, one.metadata)
    with netcdf_file(tmp_path / "u.nc", mmap=False) as file:
        for axis in grid.names:
            np.testing.assert_array_equal(file.variables[axis][:], grid.axis(axis))
        for field, values in fields.items():
            for column, part in real(field, values).items():
                assert file.variables[column].dimensions == grid.names
                np.testing.assert_array_equal(file.variables[column][:], part)
        assert file.variables["x"].units == b"m"
        assert file.title.decode() == CASES[name]["name"]
        assert file.verdict == b"solved"


@pytest.mark.parametrize("name", ["box", "complex", "family"])
def test_vtk_of_a_box_is_a_series_of_rectilinear_grids(name, tmp_path):
    one = subject(CASES[name])
    path = NETWORK_EXPORTERS["vtk"]().save(tmp_path, one)
    frames = xml.parse(path).getroot().iter("DataSet")
    times = {float(frame.get("timestep")): tmp_path / frame.get("file") for frame in frames}
    grid, problem = one.found.grid, one.module.problem
    assert list(times) == grid.axis("t").tolist()
    names = [axis for axis in problem.coordinates if axis != "t"]
    for number, file in enumerate(times.values()):
        tag, found = arrays(file)
        assert tag == "RectilinearGrid"
        for letter, axis in zip("xyz", names, strict=False):
            np.testing.assert_array_equal(found[letter], grid.axis(axis))
        for field, values in one.found.fields.items():
            for column, part in real(field, np.take(values, number, axis=grid.names.index("t"))).items():
                np.testing.assert_allclose(found[column], part.ravel(order="F"), rtol=1e-12, atol=1e-14)


def test_vtk_of_a_shape_fills_it_with_triangles_and_replaces_former_frames(tmp_path):
    (tmp_path / "solution_vtk").mkdir()
    (tmp_path / "solution_vtk" / "solution_0099.vtu").touch()
    one = subject(DISK, grid=9)
    NETWORK_EXPORTERS["vtk"]().save(tmp_path, one)
    files = sorted((tmp_path / "solution_vtk").iterdir())
    assert [file.name for file in files] == [f"solution_{number:04d}.vtu" for number in range(9)]
    tag, found = arrays(files[4])
    assert tag == "UnstructuredGrid"
    points = found["Points"].reshape(-1, 3)
    given = {"x": points[:, 0], "y": points[:, 1], "t": np.full(len(points), 0.5)}
    np.testing.assert_allclose(found["u"], evaluation.predict(one.module, given)["u"], rtol=1e-12, atol=1e-14)
    corners = points[found["connectivity"].reshape(-1, 3), :2]
    assert set(found["types"]) == {5}
    assert found["offsets"].tolist() == list(range(3, 3 * len(corners) + 1, 3))
    centres = np.hypot(corners[..., 0].mean(axis=1) - 0.2, corners[..., 1].mean(axis=1))
    assert centres.min() > 0.2


@pytest.mark.parametrize(
    ("shapes", "domain", "size", "count"),
    [
        (DISK["shapes"], "part - hole", np.pi * (0.64 - 0.09), 31),
        ({"corner": {"box": {"lower": [0, 0], "upper": [1, 1]}}}, "box - corner", 3.0, 21),
        ({"a": {"polygon": [[-1, -1], [1, -1], [0, 1]]}}, "a", 2.0, 15),
    ],
)
def test_cells_fill_a_shape(shapes, domain, size, count):
    problem = Problem(**{**DISK, "shapes": shapes, "domain": domain})
    solid = solid_in_space(problem)
    assert solid.coordinates == ("x", "y")
    cells = simplices(solid, {name: problem.domain.axis(name, count) for name in "xy"})
    assert cells.sizes.sum() == pytest.approx(size, rel=1e-2)
    assert solid.contains(cells.points, 1e-9).all()


def test_what_is_asked_for_is_written_with_its_description(tmp_path):
    one = subject(CASES["shape"])
    names = [path.name for path in export(["csv", "npz", "netcdf", "vtk"], tmp_path, one)]
    assert names == ["solution.csv", "solution.npz", "solution.nc", "solution.vtr"]
    assert '"coordinates_order": [\n' in (tmp_path / "export.json").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["box", "complex", "family", "disk"])
@pytest.mark.filterwarnings("ignore")
def test_pyvista_reads_vtk(name, tmp_path):
    pyvista = pytest.importorskip("pyvista", reason="PyVista is not installed: pip install pyvista")
    one = subject({**CASES, "disk": DISK}[name], grid=21)
    path = NETWORK_EXPORTERS["vtk"]().save(tmp_path, one)
    reader = pyvista.get_reader(path)
    if name == "disk":
        reader.set_active_time_value(0.5)
        mesh = reader.read()[0]
        assert mesh.area == pytest.approx(np.pi * (0.64 - 0.09), rel=2e-2)
        points = {"x": mesh.points[:, 0], "y": mesh.points[:, 1], "t": np.full(mesh.n_points, 0.5)}
        np.testing.assert_allclose(mesh["u"], evaluation.predict(one.module, points)["u"], rtol=1e-12, atol=1e-14)
        return
    np.testing.assert_array_equal(reader.time_values, one.found.grid.axis("t"))
    reader.set_active_time_value(reader.time_values[3])
    mesh = reader.read()[0]
    field = {"complex": "h_re", "family": "f"}.get(name, "v")
    wanted = np.take(one.found.fields[field.removesuffix("_re")], 3, axis=one.found.grid.names.index("t")).real
    np.testing.assert_allclose(mesh[field], wanted.ravel(order="F"), rtol=1e-12, atol=1e-14)
