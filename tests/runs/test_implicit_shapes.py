"""Whole runs on a level set and on a part from an STL file."""

import numpy as np
import pytest

import pinnkit
from pinnkit.cli.train import train
from pinnkit.domains.triangle_mesh import icosphere
from pinnkit.reporting.artifacts import RunFolder
from tests.domains.test_mesh_file import binary_stl
from tests.runs.small import CONF, QUICK, solved

BLOB = {
    "name": "blob",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"blob": {"level_set": "x^2 + 2*y^4 - 0.3"}},
    "domain": "blob",
    "fields": ["u"],
    "equations": "laplacian(u) = 2 + 24*y^2",
    "conditions": {"rim": {"at": "blob", "equations": "u = 0"}},
    "exact": {"u": "x^2 + 2*y^4 - 0.3"},
}
SETTINGS = {
    **QUICK,
    "network": {"width": 10, "depth": 2},
    "sampling": {"equations": 128, "conditions": 64, "redraw_every": 30},
    "trainer": {"max_steps": 120},
    "callbacks": {"progress": False, "figures": False, "evaluate_every": 60},
}
PART = """
name: part
coordinates: {x: [-1, 1], y: [-1, 1], z: [-1, 1]}
shapes:
  part: {mesh: part.stl}
domain: part
fields: [u]
equations: laplacian(u) = 0
conditions:
  rim: {at: part, equations: u = x*y + z}
  flux: {at: part, where: z > 0.3, equations: u_n = n_x*y + n_y*x + n_z}
exact: {u: x*y + z}
"""


def test_poissons_equation_on_a_level_set_is_solved(tmp_path):
    solution = solved(tmp_path, BLOB, SETTINGS)
    assert solution.metrics["status"] == "finished"
    assert solution.metrics["relative_l2"]["u"] < 0.1
    with np.load(tmp_path / "solution.npz") as saved:
        beyond = saved["x"] ** 2 + 2 * saved["y"] ** 4 > 0.3 + 1e-9
        assert np.array_equal(np.isnan(saved["u"]), beyond)
    with pytest.warns(UserWarning, match=r"outside the domain, \(x, y\) where x\^2 \+ 2\*y\^4 - 0.3 < 0"):
        solution(x=0.4, y=0.6)


def test_a_hard_condition_holds_on_the_rim_of_a_level_set(tmp_path):
    hard = {"rim": {"at": "blob", "equations": "u = x", "hard": True}}
    words = BLOB | {"conditions": hard, "exact": {}}
    solution = solved(tmp_path, words, SETTINGS | {"trainer": {"max_steps": 3}})
    (rim,) = solution.problem.domain.boundary(("x", "y"))
    x, y = rim.draw(1000, lambda count: np.random.default_rng(0).random((count, 1))).T
    np.testing.assert_allclose(solution(x=x, y=y)["u"], x, atol=1e-14)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problem").mkdir()
    (tmp_path / "problem" / "part.yaml").write_text(PART)
    (tmp_path / "problem" / "part.stl").write_bytes(binary_stl(*icosphere(1, (0.1, 0, 0), 0.8)))
    return tmp_path


WORDS = [
    "network.width=8", "network.depth=1", "sampling.equations=64", "sampling.conditions=32", "operators=autograd",
    "optimizer=ssbroyden", "trainer.max_steps=20", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip


def test_a_part_from_a_file_is_solved_repeated_and_moved(folder):
    assert train(["problem/part.yaml", *WORDS, "hydra.run.dir=run"], CONF) == 0
    first = RunFolder("run").read_metrics()
    assert first["relative_l2"]["u"] < 0.3
    again = ["--config-dir", "run", "--config-name", "config", "hydra.run.dir=again"]
    assert train(again, CONF) == 0
    assert RunFolder("again").read_metrics()["relative_l2"] == first["relative_l2"]
    (folder / "problem").rename(folder / "moved")
    with pytest.raises(pinnkit.ProblemError, match=r"shapes\.part\.mesh: there is no file"):
        pinnkit.load("run")
    assert pinnkit.load("run", problem_folder="moved")(x=0.1, y=0.2, z=0.3)["u"].shape == ()


def test_a_run_goes_on_with_the_same_mesh_alone(folder, capsys):
    assert train(["problem/part.yaml", *WORDS, "trainer.max_steps=2", "hydra.run.dir=run"], CONF) == 0
    (folder / "problem" / "part.stl").write_bytes(binary_stl(*icosphere(1, (0.1, 0, 0), 0.7)))
    capsys.readouterr()
    assert train(["resume=run", "trainer.max_steps=8"], CONF) == 2
    assert "shapes.part.mesh: its samples are not those that the run began with" in capsys.readouterr().err
