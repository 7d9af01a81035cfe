"""A solution in one file, and as a pickle."""

import copy
import gc
import pickle
import zipfile
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.runs import shipped
from pinnkit.runs.pinn import PINN

SMALL = {"network": {"width": 6, "depth": 1}}
X = np.linspace(0, 1, 5)
BYTES = torch.zeros(1, dtype=torch.uint8)


def words(**changes):
    return {
        "name": "bar", "coordinates": {"x": [0, 1]}, "fields": ["u"], "equations": {"poisson": "u_xx = 2"},
        "conditions": {"ends": {"at": "boundary", "equations": "u = 0"}}, "exact": {"u": "x^2 - x"}, **changes,
    }  # fmt: skip


def trained(problem, network=None):
    """A solution whose weights are not those of the start."""
    module = PINN(problem, SMALL, network=network)
    with torch.no_grad():
        for value in module.parameters():
            value.add_(torch.linspace(0, 0.1, value.numel(), dtype=value.dtype).reshape(value.shape))
    return module.solution()


def same(one, other):
    assert np.array_equal(one(x=X)["u"], other(x=X)["u"])
    assert one.settings == other.settings
    assert one.problem.replace(folder=other.problem.folder, tables={}) == other.problem.replace(tables={})


def test_a_file_gives_the_solution_back(tmp_path):
    solution = trained(pinnkit.Problem(**words()))
    path = solution.save(tmp_path / "bar.pinnkit")
    loaded = pinnkit.load(path)
    same(solution, loaded)
    assert (loaded.status, loaded.folder, loaded.metrics) == ("trained", None, {})
    assert loaded.error(11) == solution.error(11)
    assert [one.name for one in tmp_path.iterdir()] == ["bar.pinnkit"]


@pytest.mark.parametrize("setting", [False, True])
def test_its_reference_is_there_when_it_is_asked_for(tmp_path, setting):
    (tmp_path / "table.csv").write_text("x,u\n0,0\n0.5,-0.25\n1,0\n")
    named = {} if setting else {"reference": "table.csv"}
    given = {key: value for key, value in words(**named).items() if key != "exact"}
    problem = pinnkit.Problem(**given, folder=tmp_path)
    settings = {**SMALL, "reference": "table.csv"} if setting else SMALL
    solution = PINN(problem, settings).solution()
    loaded = pinnkit.load(solution.save(tmp_path / "bar.pinnkit"))
    assert loaded.error() == solution.error()
    again = pinnkit.load(loaded.save(tmp_path / "again.pinnkit"))
    folder = again.problem.folder
    assert again.error() == solution.error()
    assert folder.is_dir()
    del again
    gc.collect()
    assert not folder.exists()


def test_it_holds_the_files_of_the_problem(tmp_path):
    rows = "\n".join(f"{x},{x**2}" for x in np.linspace(0, 1, 11))
    for name in ("samples.csv", "exact.csv"):
        (tmp_path / name).write_text(f"x,u\n{rows}\n")
    (tmp_path / "source.csv").write_text(f"x,q\n{rows}\n")
    conditions = {
        "samples": {"data": "samples.csv"},
        "given": {"data": {"x": np.array([0.5]), "u": [0.25]}},
    }
    tables = {"q": {"file": "source.csv", "columns": ["x"], "value": "q", "smooth": "cubic"}}
    read = words(conditions=conditions, tables=tables, equations={"poisson": "u_xx = q"}, exact={},
                 reference="exact.csv", folder=tmp_path)  # fmt: skip
    solution = trained(pinnkit.Problem(**read))
    solution.save(tmp_path / "whole.pinnkit")
    for path in tmp_path.glob("*.csv"):
        path.unlink()
    loaded = pinnkit.load(tmp_path / "whole.pinnkit")
    assert np.array_equal(loaded(x=X)["u"], solution(x=X)["u"])
    assert np.array_equal(loaded.residual("poisson")(x=X), solution.residual("poisson")(x=X))
    assert np.array_equal(loaded.problem.conditions[0].data["u_data"], solution.problem.conditions[0].data["u_data"])


def test_what_was_given_in_python_is_asked_for_again(tmp_path):
    problem = pinnkit.Problem(**words(equations={"poisson": lambda p: p.u_xx - 2}))
    network = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    solution = trained(problem, network)
    path = solution.save(tmp_path / "own.pinnkit")
    with pytest.raises(pinnkit.ProblemError, match="pass problem= to") as caught:
        pinnkit.load(path)
    assert "pass network=" in str(caught.value)
    like = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    loaded = pinnkit.load(path, problem=problem, network=like)
    assert np.array_equal(loaded(x=X)["u"], solution(x=X)["u"])


class Evil:
    def __reduce__(self):
        return print, ("code ran",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: {"a": 1}, "has no 'pinnkit_solution'"),
        (lambda content: content | {"pinnkit_solution": 2}, "has the format 2"),
        (lambda content: content | {"config": "[1]"}, "no mapping with the key pde"),
        (lambda content: content | {"metrics": "{"}, "its metrics are no JSON"),
        (lambda content: content | {"files": {"../x.csv": BYTES}}, "'../x.csv' in it is none"),
        (lambda content: content | {"files": {"x.csv": 1}}, "no mapping of names to tensors"),
        (lambda content: content | {"state_dict": {}}, "holds other networks"),
        (lambda content: content | {"status": Evil()}, "could run code, and is refused"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused(change, message, tmp_path, capsys):
    path = trained(pinnkit.Problem(**words())).save(tmp_path / "bar.pinnkit")
    torch.save(change(torch.load(path, weights_only=True)), path)
    with pytest.raises(pinnkit.DamagedCheckpoint, match=message):
        pinnkit.load(path)
    assert "code ran" not in capsys.readouterr().out


def test_an_altered_file_is_refused(tmp_path):
    path = trained(pinnkit.Problem(**words())).save(tmp_path / "bar.pinnkit")
    with zipfile.ZipFile(path) as archive:
        place = max(archive.infolist(), key=lambda one: one.file_size).header_offset + 200
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)
    with pytest.raises(pinnkit.DamagedCheckpoint, match="damaged"):
        pinnkit.load(path)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_problems_settings_and_solutions_are_copied_and_pickled(copied):
    problem = pinnkit.Problem(**words(parameters={"k": {"learn": 1.0, "min": 0.5}}, equations="k*u_xx = 2", exact={}))
    assert copied(problem) == problem
    assert copied(pinnkit.Settings()) == pinnkit.Settings()
    solution = trained(problem)
    again = copied(solution)
    same(solution, again)
    with torch.no_grad():
        next(again.module.parameters()).add_(1.0)
    assert not np.array_equal(again(x=X)["u"], solution(x=X)["u"])
    own = trained(problem, torch.nn.Linear(1, 1))
    assert np.array_equal(copied(own)(x=X)["u"], own(x=X)["u"])


@pytest.mark.parametrize(
    "name", ["schrodinger", "poisson_two_materials", "heat_family", "cylinder_flow", "darcy_inverse"]
)
def test_shipped_problems_are_pickled(name):
    problem = pinnkit.read_problem(name)
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert name in shipped.problems()


def value_at(solution, x):
    return float(solution(x=x)["u"])


@pytest.mark.slow
def test_a_pool_of_processes_evaluates_a_solution():
    solution = trained(pinnkit.Problem(**words()))
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(value_at, [solution] * 3, [0.1, 0.5, 0.9]))
    assert found == [value_at(solution, x) for x in (0.1, 0.5, 0.9)]
