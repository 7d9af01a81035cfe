"""Exported maps give the numbers of the network, without pinnkit."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from pinnkit.language.errors import ProblemError
from pinnkit.networks.settings import NETWORKS
from pinnkit.runs import evaluation
from pinnkit.runs.field_map import FieldMap, check_agrees, joined, sample
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, check_packages
from tests.conftest import assembled
from tests.runs.export_cases import BOX, CASES, SPIRAL, places, subject

TOLERANCES = {"float64": 1e-12, "float32": 1e-6}
PT2 = """
import json, sys
sys.modules["pinnkit"] = None
import numpy as np, torch
for path in sys.argv[1:]:
    facts = {"pinnkit.json": ""}
    run = torch.export.load(path + "/solution.pt2", extra_files=facts).module()
    for count in (50, 1):
        with np.load(path + "/points.npz") as given:
            points = {name: torch.as_tensor(given[name][:count]) for name in given.files}
        found = {name: values.numpy() for name, values in run(points).items()}
        np.savez(f"{path}/found_{count}.npz", **found)
    assert json.loads(facts["pinnkit.json"])["coordinates_order"] == list(points)
"""


def onnx_values(path, points):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == list(points)
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, points), strict=True))


def check_same(one, found, points, dtype):
    expected = evaluation.predict(one.module, {name: values.astype(float) for name, values in points.items()})
    for unknown in one.module.problem.unknowns:
        wanted = expected[unknown.name]
        off = np.abs(joined(unknown, found) - wanted).max()
        assert off <= TOLERANCES[dtype] * np.abs(wanted).max()


def test_torch_archives_give_the_same_numbers_where_pinnkit_is_not_installed(tmp_path):
    kinds = [(name, "float64") for name in CASES] + [("box", "float32")]
    exported = {}
    for name, dtype in kinds:
        folder = tmp_path / f"{name}_{dtype}"
        folder.mkdir()
        one = subject(CASES[name], dtype)
        assert NETWORK_EXPORTERS["pt2"]().save(folder, one) == folder / "solution.pt2"
        points = {axis: values.astype(dtype) for axis, values in places(one.module.problem).items()}
        np.savez(folder / "points.npz", **points)
        exported[folder] = one, points, dtype
    subprocess.run([sys.executable, "-W", "ignore", "-c", PT2, *map(str, exported)], check=True, cwd=tmp_path)
    for folder, (one, points, dtype) in exported.items():
        for count in (50, 1):
            with np.load(folder / f"found_{count}.npz") as found:
                some = {name: values[:count] for name, values in points.items()}
                check_same(one, dict(found), some, dtype)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param("box", "float64"),
        *(pytest.param(name, "float64", marks=pytest.mark.slow) for name in ("shape", "family", "complex")),
        pytest.param("box", "float32", marks=pytest.mark.slow),
    ],
)
def test_onnx_gives_the_same_numbers(name, dtype, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    one = subject(CASES[name], dtype)
    path = NETWORK_EXPORTERS["onnx"]().save(tmp_path, one)
    points = {axis: values.astype(dtype) for axis, values in places(one.module.problem).items()}
    check_same(one, onnx_values(path, points), points, dtype)
    few = {name: values[:1] for name, values in points.items()}
    check_same(one, onnx_values(path, few), few, dtype)
    facts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(facts["coordinates_order"]) == list(points)
    assert facts["verdict"] == "solved"


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("kind", ["pt2", "onnx"])
def test_maps_of_every_network_are_written_once_they_agree(network, kind, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime") if kind == "onnx" else ():
        pytest.importorskip(package)
    one = subject(SPIRAL, network=network)
    path = NETWORK_EXPORTERS[kind]().save(tmp_path, one)  # which compares it with the network first
    assert path.stat().st_size > 0


def test_a_map_has_no_value_outside_all_parts_and_the_right_one_at_an_interface():
    module = subject(CASES["shape"]).module
    points = {"x": torch.tensor([0.5, 0.0, 1.5]).double(), "y": torch.tensor([0.0, 0.9, 0.0]).double()}
    found = FieldMap(module)(points)["u"].numpy()
    wanted = evaluation.predict(module, {name: values.numpy() for name, values in points.items()})["u"]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert np.isnan(found).tolist() == [False, False, True]


def test_a_map_that_differs_is_not_written(tmp_path):
    one = subject(SPIRAL)
    points = sample(one.module)
    found = {name: values.numpy() for name, values in FieldMap(one.module)(points).items()}
    assert check_agrees(one.module, found, points, "onnx") <= 1e-15
    found["h_im"] = found["h_im"] + 1e-9
    with pytest.raises(ProblemError, match=r"export: the map in onnx differs from the network by .*e-.*not written"):
        check_agrees(one.module, found, points, "onnx")


def test_what_cannot_be_exported_is_told_in_words(tmp_path, monkeypatch):
    module, _ = assembled({**BOX, "periodic": []}, network=Branching())
    with pytest.raises(ProblemError, match=r"torch.export cannot trace the network: .*csv, netcdf and vtk hold"):
        NETWORK_EXPORTERS["pt2"]().save(tmp_path, subject_of(module))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnxruntime" else True)
    with pytest.raises(ProblemError, match=r'export: onnx needs onnxruntime: pip install "pinnkit\[onnx\]"'):
        check_packages("onnx")
    check_packages("csv")


class Branching(torch.nn.Module):
    """A network of a user's own that looks at the values."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2, dtype=torch.float64)

    def forward(self, points):
        return self.layer(points) if float(points.detach().sum()) > -1e9 else points


def subject_of(module):
    from pinnkit.runs.network_exporters import Subject

    return Subject(module, evaluation.evaluate(module, None, 5), None, {})
