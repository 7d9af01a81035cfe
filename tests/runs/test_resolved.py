"""config.yaml has every value as used: run again it gives the same run, also where defaults have changed since."""

import dataclasses

import pytest
import torch
import yaml

import pinnkit
from pinnkit.cli.train import train
from pinnkit.language.errors import Report
from pinnkit.optimizers.methods.adam import Adam
from pinnkit.problem.problem import Problem
from pinnkit.reading import config_of
from pinnkit.runs import resolved as resolving
from pinnkit.runs.configuration import CHOSEN
from pinnkit.runs.factory import assemble
from pinnkit.runs.resolved import resolved
from pinnkit.runs.validation import read_and_check
from pinnkit.sampling import settings as sampling
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.sampling.settings import Sampling
from pinnkit.settings import Settings, read_settings
from pinnkit.training import datamodule
from pinnkit.training.stages import Stage
from tests.problem.test_shipped import OWN, shipped
from tests.runs.small import CONF, command

OFF = {
    "sampling.batch", "operators.chunk", "operators.directions", "trainer.shards", "trainer.max_steps",
    "trainer.max_time", "trainer.stop_loss", "trainer.stop_reduction", "trainer.stop_error", "callbacks.figures_every",
    "manufactured", "resume", "optimizer.steps", "logger.mlflow.experiment", "logger.mlflow.name",
    "logger.mlflow.tracking_uri", "logger.wandb.entity", "logger.wandb.group", "logger.wandb.name",
    "trainer.stop_estimated_error", "features.range", "features.count", "features.windows", "stages",
    "network.adaptive_activation", "windows", "continuation", "deflation",
}  # fmt: skip
"""Keys whose null is no choice: no such limit, a feature that is off, or what is found or measured in training."""
QUICK = [
    "pde=decay", "network.depth=1", "operators=autograd", "callbacks=quiet", "callbacks.figures=false", "logger=none",
    "trainer.max_steps=12",
]  # fmt: skip
CASES = {
    "auto": [],
    "spring": ["optimizer=spring", "trainer.max_steps=4"],
    "one of each": ["phases=[{name: adam, steps: 3}, {name: spring, steps: 2}, gauss_newton]", "trainer.max_steps=7"],
    "points by residual": ["optimizer=ssbroyden", "sampling.redraw_every=2", "sampling.doubling_draws=2"],
    "a power that is given": ["optimizer=adam", "sampling.redraw_every=2", "sampling.residual_power=1"],
    "conditions by residual": ["pde=heat", "optimizer=adam", "sampling.equations=50", "sampling.redraw_every=2",
                               "sampling.doubling_draws=2", "network.width=4"],
    "float32": ["dtype=float32", "network=fourier", "network.fourier_features=3"],
}  # fmt: skip


def weights(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def nulls(config, path=""):
    if isinstance(config, dict):
        return {key for name, one in config.items() for key in nulls(one, f"{path}.{name}" if path else name)}
    return {path} if config is None else set()


@pytest.mark.parametrize("case", CASES)
def test_a_run_is_repeated_to_the_bit_by_its_configuration(case, tmp_path, monkeypatch):
    monkeypatch.setattr(datamodule, "CONCENTRATED", 0.0)
    assert command(tmp_path, *QUICK, *CASES[case], f"hydra.run.dir={tmp_path / 'first'}") == 0
    kept = yaml.safe_load((tmp_path / "first" / "config.yaml").read_text())
    assert {key for key in nulls(kept) if not key.startswith(("pde.", "hydra."))} - {"phases"} <= OFF
    assert kept["phases"] or kept["optimizer"]["name"] != "auto"
    # Defaults of another version:
    for name, value in {"CONDITIONS": 7, "DOUBLINGS": 1, "POWER": 0.9, "LATE_POWER": 0.1}.items():
        monkeypatch.setattr(sampling, name, value)
    monkeypatch.setattr(Sampling, "count", lambda self, dimension: self.equations or 33)
    monkeypatch.setattr(resolving, "automatic", lambda *_: ((Stage(Adam(learning_rate=0.1)),), "it is new"))
    words = ["--config-dir", str(tmp_path / "first"), "--config-name", "config"]
    assert train([*words, f"hydra.run.dir={tmp_path / 'again'}"], CONF) == 0
    assert yaml.safe_load((tmp_path / "again" / "config.yaml").read_text()) == kept
    first, again = weights(tmp_path / "first"), weights(tmp_path / "again")
    assert first.keys() == again.keys()
    for name, value in first.items():
        assert torch.equal(value, again[name]), name


@pytest.mark.parametrize("name", OWN[::4])
def test_what_is_resolved_stays_as_it_is(name):
    problem = shipped(name)
    once = resolved(problem, Settings())
    assert resolved(problem, once) == once
    report = Report()
    assert read_settings(config_of(once), report) == once
    assert not report.mistakes
    changed = {
        key
        for group in dataclasses.fields(Settings)
        for key in _changed(config_of(Settings())[group.name], config_of(once)[group.name], group.name)
    }
    assert changed <= set(CHOSEN)
    assert (once.network.width, once.sampling.equations, once.reference) != (None, None, None)
    assert once.phases is not None


def _changed(before, after, path):
    if isinstance(before, dict):
        return {key for name in before for key in _changed(before[name], after[name], f"{path}.{name}")}
    return {path} if before != after else set()


def test_the_choice_of_an_optimizer_knows_the_number_of_parameters(monkeypatch):
    sizes = []
    automatic = resolving.automatic
    monkeypatch.setattr(resolving, "automatic", lambda size, *others: sizes.append(size) or automatic(size, *others))
    words = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": {"u": ["x", "t"], "k": ["x"]}, "periodic": ["x"]}
    problem = Problem(**words, equations="u_t = k*u_xx + u^2 + k", parameters={"a": {"learn": 1.0}})
    for network in ({}, {"fourier_features": 5}, {"harmonics": 3, "separate": True}, {"width": 4, "widths": {"1": 9}}):
        report = Report()
        module, _ = assemble(problem, read_settings({"network": network}, report))
        assert not report.mistakes
        assert sizes.pop() == sum(one.numel() for one in module.parameters() if one.requires_grad)


@pytest.mark.parametrize(("fields", "width", "last", "rows"), [(1, 68, "spring", 150), (3, 30, "ssbroyden", 450)])
def test_a_system_in_many_coordinates_gets_a_smaller_network_and_a_dense_matrix(fields, width, last, rows, monkeypatch):
    seen = []
    automatic = resolving.automatic
    monkeypatch.setattr(resolving, "automatic", lambda *given: seen.append(given[-1]) or automatic(*given))
    names = ["u", "v", "w"][:fields]
    problem = Problem(
        coordinates={name: [0, 1] for name in "xyzt"},
        fields=names,
        equations=[f"{name}_t = laplacian({name})" for name in names],
        conditions={"start": {"at": "t = 0", "equations": [f"{name} = x" for name in names]}},
    )
    found = resolved(problem, read_settings({"sampling": {"fresh": 100, "conditions": 50}}, Report()))
    assert (found.network.width, found.phases[-1].name, seen) == (width, last, [rows])


def test_a_field_of_fewer_coordinates_keeps_its_width():
    words = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": {"u": ["x", "t"], "k": ["x"]}}
    problem = Problem(**words, equations="u_t = k*u_xx + u^2")
    network = resolved(problem, Settings()).network
    assert (network.width, network.widths) == (30, {"1": 20})
    shapes = [one.shape for one in assemble(problem, Settings())[0].parameters() if one.ndim == 2]
    assert {shape[0] for shape in shapes} == {30, 20, 1}


GROWTH = {
    "nothing": ({}, (1024, 2048, 4096, 4096), (1, 2, 4, 4), (0.5, 0.5, 0.75, 0.75)),
    "equations": ({"equations": 100}, (100,) * 4, (1, 2, 4, 4), (0.5, 0.5, 0.75, 0.75)),
    "conditions": ({"conditions": 100}, (1024, 2048, 4096, 4096), (1,) * 4, (0.5, 0.5, 0.75, 0.75)),
    "power": ({"residual_power": 0.2}, (1024, 2048, 4096, 4096), (1, 2, 4, 4), (0.2,) * 4),
    "all": (
        {"equations": 10, "equations_by_residual": 30, "equations_doublings": 1, "conditions_doublings": 0,
         "residual_power": 1.0, "residual_power_late": 2.0},
        (30, 60, 60, 60), (1,) * 4, (1.0, 1.0, 2.0, 2.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GROWTH)
def test_points_by_residual_grow_as_their_settings_say(case):
    given, equations, conditions, power = GROWTH[case]
    for one in (Sobol(**given), Sobol(**given).resolved(1)):
        draws = (39, 40, 80, 400)
        assert tuple(one.count_by_residual(1, draw) for draw in draws) == equations
        assert tuple(one.conditions_growth(draw) for draw in draws) == conditions
        assert tuple(one.power(draw) for draw in draws) == power


def test_the_limits_of_a_run_without_limits_are_kept_and_end_with_the_first_limit(tmp_path):
    words = [*QUICK[:-1], "trainer.default_steps=6", "optimizer=adam", f"hydra.run.dir={tmp_path / 'out'}"]
    assert command(tmp_path, *words) == 0
    kept = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())["trainer"]
    assert (kept["max_steps"], kept["default_steps"], kept["default_reduction"]) == (None, 6, 1e-15)
    assert command(tmp_path, f"resume={tmp_path / 'out'}") == 0
    assert _steps(tmp_path) == 6
    assert command(tmp_path, f"resume={tmp_path / 'out'}", "trainer.max_time=0.4") == 0
    assert _steps(tmp_path) > 6
    steps = _steps(tmp_path) + 3
    more = [f"resume={tmp_path / 'out'}", "trainer.max_time=null", f"trainer.max_steps={steps}"]
    assert command(tmp_path, *more) == 0
    assert _steps(tmp_path) == steps


def _steps(folder):
    return yaml.safe_load((folder / "out" / "metrics.json").read_text())["steps"]


def test_a_run_goes_on_where_a_null_means_what_it_chose(tmp_path, capfd):
    assert command(tmp_path, *QUICK, f"hydra.run.dir={tmp_path / 'out'}") == 0
    same = [
        "network.width=null",
        "sampling=sobol",
        "optimizer=auto",
        "phases=null",
        "reference=null",
        "network.width=20",
    ]
    for word in same:
        assert command(tmp_path, f"resume={tmp_path / 'out'}", "network.depth=1", word) == 0, capfd.readouterr().err
    capfd.readouterr()
    other = [*QUICK, "network.width=7", f"hydra.run.dir={tmp_path / 'wide'}"]
    assert command(tmp_path, *other) == 0
    assert command(tmp_path, f"resume={tmp_path / 'wide'}", "network.width=null") == 2
    assert "network.width: is 20, but 7 in" in capfd.readouterr().err


def test_a_network_given_in_python_is_named(tmp_path, heat_words, quick):
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    quick["trainer"]["max_steps"] = 2
    pinnkit.solve(Problem(**heat_words), tmp_path, quick, network=network)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert config["custom_network"] == "Sequential"
    with pytest.raises(pinnkit.ProblemError, match="custom_network: Sequential: this run had a network given in"):
        read_and_check(config)


@pytest.mark.parametrize(("domain", "chosen"), [("disk", (20, "sin")), ("box - disk", (30, "tanh"))])
def test_a_combined_shape_has_the_network_of_nonlinear_equations(domain, chosen):
    problem = Problem(
        coordinates={"x": [-1, 1], "y": [-1, 1]},
        shapes={"disk": {"disk": {"center": [0, 0], "radius": 0.3}}},
        domain=domain,
        fields=["u"],
        equations="laplacian(u) = 1",
        conditions={"rim": {"at": "boundary", "equations": "u = 0"}},
    )
    network = resolved(problem, Settings()).network
    assert (network.width, network.activation) == chosen
