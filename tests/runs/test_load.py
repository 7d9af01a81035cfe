"""`pinnkit.load` gives back the trained solution of a run folder."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.training.checkpoint_reader import DamagedCheckpoint
from tests.runs.small import DECAY, QUICK, WORDS, command, solved

INVERSE = {
    **DECAY,
    "parameters": {"rate": {"learn": 0.5, "positive": True}},
    "conditions": {
        "start": {"at": "t = 0", "equations": "u = 1"},
        "end": {"at": "t = 1", "equations": "u = 0.4"},
    },
    "exact": {},
}


def check_equal(folder, solution):
    """The values of a solution are those of solution.npz to the bit."""
    arrays = RunFolder(folder).read_solution()
    names = solution.problem.coordinates
    found = solution(**{name: arrays[name] for name in names})
    for field in solution.problem.fields:
        np.testing.assert_array_equal(found[field.name], arrays[field.name])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run from the command line."""
    folder = tmp_path_factory.mktemp("load")
    assert command(folder, *WORDS, f"hydra.run.dir={folder / 'out'}") == 0
    return folder / "out"


def test_a_run_from_the_command_line(run):
    solution = pinnkit.load(run)
    check_equal(run, solution)
    assert solution.metrics == RunFolder(run).read_metrics()
    assert (solution.status, solution.folder) == ("finished", run)
    assert (solution.settings.network.width, solution.settings.network.activation) == (5, "tanh")
    assert solution.problem.name == "decay"
    assert solution.module.residuals  # a module like that of `solve`
    best = pinnkit.load(str(run), "best")
    state = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(value, best.module.state_dict()[name]) for name, value in state.items())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_from_python(dtype, tmp_path):
    trained = solved(tmp_path, settings={**QUICK, "phases": ["adam"], "dtype": dtype})
    check_equal(tmp_path, trained)
    loaded = pinnkit.load(tmp_path)
    check_equal(tmp_path, loaded)
    assert loaded.metrics == RunFolder(tmp_path).read_metrics()
    assert {value.dtype for value in loaded.module.parameters()} == {getattr(torch, dtype)}
    assert replace(loaded.settings, outside_files=False) == trained.settings


def test_learned_values_come_back(tmp_path):
    trained = solved(tmp_path, words=INVERSE)
    loaded = pinnkit.load(tmp_path)
    check_equal(tmp_path, loaded)
    rate = float(loaded.module.parameter_values()["rate"].detach())
    assert rate == trained.metrics["learned"]["rate"]["value"] == loaded.metrics["learned"]["rate"]["value"] != 0.5


def test_a_run_that_was_killed(tmp_path):
    solved(tmp_path, words=INVERSE)
    run = RunFolder(tmp_path)
    values = pinnkit.load(tmp_path)(t=[0.3])["u"]
    for path in (run.metrics, run.solution):
        path.unlink()
    run.last_checkpoint.rename(run.previous_checkpoint)  # killed while the next one was written
    loaded = pinnkit.load(tmp_path)
    assert (loaded.status, loaded.metrics["steps"]) == ("running", 10)
    assert loaded.metrics["learned"]["rate"]["value"] > 0
    np.testing.assert_array_equal(loaded(t=[0.3])["u"], values)


def test_what_was_given_in_python_is_given_again(tmp_path):
    words = {**DECAY, "equations": {"decay": lambda p: p.u_t + p.rate * p.u}}
    trained = solved(tmp_path / "residual", words=words)
    message = r"pde.equations.decay: was given in Python \(<lambda>\), and config.yaml cannot hold it: pass problem="
    with pytest.raises(pinnkit.ProblemError, match=message):
        pinnkit.load(tmp_path / "residual")
    loaded = pinnkit.load(tmp_path / "residual", problem=Problem(**words))
    np.testing.assert_array_equal(loaded(t=[0.1, 0.7])["u"], trained(t=[0.1, 0.7])["u"])
    with pytest.raises(pinnkit.ProblemError, match=r"pde.parameters.rate: is 2.0, but 1.0 in"):
        pinnkit.load(tmp_path / "residual", problem=Problem(**{**words, "parameters": {"rate": 2.0}}))

    def network():
        return torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))

    trained = solved(tmp_path / "network", network=network())
    with pytest.raises(pinnkit.ProblemError, match=r"network: was given in Python \(Sequential\).*pass network="):
        pinnkit.load(tmp_path / "network")
    loaded = pinnkit.load(tmp_path / "network", network=network())
    check_equal(tmp_path / "network", loaded)
    with pytest.raises(DamagedCheckpoint, match="holds other networks"):
        pinnkit.load(tmp_path / "network", network=torch.nn.Sequential(torch.nn.Linear(1, 1)))


def test_what_cannot_be_loaded_is_an_error_in_words(run, tmp_path):
    with pytest.raises(pinnkit.ProblemError, match=r"folder: .*nowhere: there is no such folder"):
        pinnkit.load(tmp_path / "nowhere")
    with pytest.raises(pinnkit.ProblemError, match="checkpoint: 'first': one of last, best is needed"):
        pinnkit.load(run, "first")
    with pytest.raises(pinnkit.ProblemError, match="network: this run had none of its own"):
        pinnkit.load(run, network=torch.nn.Linear(1, 1))
    copy = RunFolder(tmp_path / "copy")
    shutil.copytree(run, copy.path)
    text = copy.read_config()
    for damaged in ("[1", "- 1", ""):
        copy.config.write_text(damaged)
        with pytest.raises(pinnkit.ProblemError, match=r"config.yaml: is damaged"):
            pinnkit.load(copy.path)
    config = yaml.safe_load(text)
    config["network"]["width"] = 6
    copy.config.write_text(yaml.safe_dump(config))
    with pytest.raises(pinnkit.ProblemError, match=r"network.width: is 6, but 5 in .*a network is measured as it was"):
        pinnkit.load(copy.path)
    copy.config.write_text(text)
    state = torch.load(copy.last_checkpoint, weights_only=True)
    torch.save({**state, "pinnkit": {**state["pinnkit"], "format": 1}}, copy.last_checkpoint)
    with pytest.raises(DamagedCheckpoint, match="has the format 1, and this version"):
        pinnkit.load(copy.path)
    copy.last_checkpoint.unlink()
    copy.previous_checkpoint.unlink()
    with pytest.raises(DamagedCheckpoint, match="there is no such checkpoint"):
        pinnkit.load(copy.path)
