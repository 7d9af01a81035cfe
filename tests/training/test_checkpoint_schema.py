"""Whole checkpoints with wrong contents are told as damaged, and the one before is used; NaN in one is divergence."""

import copy
import functools
import math
import random
import re

import pytest
import torch

from pinnkit.optimizers.settings import OPTIMIZERS
from pinnkit.optimizers.state_check import InvalidStateError
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.training import checkpoint_schema
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, check_fits, newest, read
from pinnkit.training.exceptions import Diverged, NoFiniteCheckpoint
from pinnkit.training.step import OptimizerStep
from tests.runs.small import QUICK, WORDS, command, content, solved

WAYS = {
    **{name: ([name], "float64") for name in OPTIMIZERS},
    "ssbroyden": ([{"name": "adam", "steps": 4}, {"name": "ssbroyden"}], "float64"),
    "soap in float32": (["soap"], "float32"),
    "lbfgs in float32": (["lbfgs"], "float32"),
}
SETTINGS = {**QUICK, "checkpoint": {"every_steps": 6}, "network": {"width": 5, "depth": 2}}


def settings_of(way):
    phases, dtype = WAYS[way]
    return {**SETTINGS, "phases": phases, "dtype": dtype}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """By way: the module of a run and its folder; each is trained once."""

    @functools.cache
    def trained(way):
        folder = tmp_path_factory.mktemp("run")
        return solved(folder, settings=settings_of(way)).module, RunFolder(folder)

    return trained


@pytest.fixture
def run(runs, tmp_path):
    """A copy of the folder of one with two phases."""
    module, former = runs("ssbroyden")
    run = RunFolder(tmp_path / "run").create()
    for path in former.path.rglob("*"):
        if path.is_file() and path.name != ".pinnkit.lock":
            (run.path / path.relative_to(former.path)).write_bytes(path.read_bytes())
    return module, run


def at(content, key):
    """The mapping or list that holds the last part of a dotted key, and that part."""
    if key.startswith("state_dict."):  # whose keys have dots
        return content["state_dict"], key.removeprefix("state_dict.")
    *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for part in path:
        content = content[part]
    return content, last


def rewritten(path, key, value):
    content = torch.load(path, weights_only=True)
    place, last = at(content, key)
    if value is DELETE:
        del place[last]
    else:
        place[last] = value
    torch.save(content, path)


DELETE = object()
STATE = "optimizer_states.1.state.0"
ROWS = "callbacks.Record.rows"
DAMAGES = [
    ("progress.step", -1, "progress.step: -1 is no count"),
    ("progress.step", "ten", "progress.step: 'ten' is no count"),
    ("progress.step", 2**70, "is no count"),
    ("progress.stage", 7, "progress.stage: is 7, and there are 2 stages"),
    ("progress.stage_step", 99, "progress.stage_step: is 99, and progress.step 10"),
    ("progress.evaluations", 1.5, "progress.evaluations: 1.5 is no count"),
    ("progress.draw", -2, "progress.draw"),
    ("progress.train_time_s", -3.0, "progress.train_time_s: is -3.0"),
    ("progress.rollbacks", DELETE, "progress.rollbacks: None is no count"),
    ("progress.settling", "now", "progress.settling: 'now' is no count"),
    ("progress.first_objective", None, "progress.first_objective: None is no number"),
    ("weights.terms.decay", -1.0, "weights.terms.decay: is -1.0"),
    ("weights.terms.decay", DELETE, "weights.terms: decay, start are needed"),
    ("weights.updated", "now", "weights.updated: 'now' is no count"),
    ("weights.points", {"other": torch.ones(3, 1)}, "weights.points: "),
    ("weights.points", {"equations": torch.ones(3)}, "weights.points.equations: is "),
    ("weights.points", {"equations": -torch.ones(3, 1).double()}, "weights.points.equations: some are below 0"),
    ("CollocationData.stage", 5, "CollocationData.stage: is 5, of 2 stages"),
    ("CollocationData.began", 500, "CollocationData.began: is 500, and progress.step "),
    ("callbacks.Checkpoints.terms", None, "callbacks.Checkpoints.terms: is None"),
    ("progress", [], "progress: \\[\\] is no mapping"),
    ("state_dict", [], "state_dict: \\[\\] is no mapping"),
    ("state_dict.network.networks.0.0.slope", DELETE, "holds other networks"),
    ("optimizer_states", [], "optimizer_states: 0 are there, and 2 stages"),
    ("optimizer_states.0", {}, r"optimizer_states\[0\]: 'state', 'param_groups' are needed"),
    ("optimizer_states.1.param_groups", [], r"param_groups: a list of 1 is needed"),
    ("optimizer_states.0.param_groups.0.betas", (5.0, -1.0), r"param_groups\[0\].betas: is \(5.0, -1.0\)"),
    ("optimizer_states.0.param_groups.0.lr", DELETE, "'lr' is missing"),
    ("optimizer_states.0.state.0.exp_avg", torch.zeros(3), "exp_avg: is"),
    ("optimizer_states.0.state.1", DELETE, "is of some parameters only"),
    ("optimizer_states.0.state.99", {}, "is of other parameters"),
    (f"{STATE}.gradient", torch.zeros(3, dtype=torch.float64), r"state\[0\].gradient: is \(3,\)"),
    (f"{STATE}.gradient", torch.zeros(46), "torch.float32"),
    (f"{STATE}.gradient", DELETE, "loss: is there without 'gradient'"),
    (f"{STATE}.inverse_hessian.factor", torch.eye(3, dtype=torch.float64), r"factor: is \(3, 3\)"),
    (f"{STATE}.inverse_hessian", DELETE, "is there without 'inverse_hessian'"),
    (f"{STATE}.evaluations", DELETE, "'evaluations' is missing"),
    (f"{STATE}.failures", -1, "failures: -1 is no count"),
    (f"{STATE}.expected_step", -1.0, "expected_step: -1.0 is not above 0"),
    (f"{STATE}.momentum", 1.0, "momentum: 1.0 does not belong there"),
    ("callbacks.Record", DELETE, "callbacks.Record: is missing"),
    (f"{ROWS}", "rows", "rows: is no list"),
    (f"{ROWS}.0", {}, r"rows\[0\]: is not whole"),
    (f"{ROWS}.0.phase", 9, r"rows\[0\]: is of step \d+ and phase 9"),
    (f"{ROWS}.0.losses", {"decay": "small"}, r"rows\[0\].losses: is no mapping of numbers"),
    (f"{ROWS}.0.step", 10**6, "rows"),
    ("callbacks.Checkpoints.least", None, "least: is None"),
    ("CollocationData.drawn", None, "CollocationData.drawn: None is no count"),
    ("CollocationData.by_residual", ["other"], "CollocationData.by_residual"),
    ("CollocationData.points", {}, "CollocationData.points: are of other equations or conditions"),
    ("CollocationData.points.equations.coordinates", torch.zeros(4, 2, dtype=torch.float64), r"are \(4, 2\)"),
    ("CollocationData.points.equations.coordinates", torch.full((4, 1), 7.0, dtype=torch.float64), "outside the dom"),
    (
        "CollocationData.points.equations.columns",
        {"n_x": torch.zeros(4, 1)},
        "holds 'coordinates', 'columns'; coordinates are",
    ),
    ("CollocationData.points.equations.weights", torch.ones(4, dtype=torch.float64), r"equations.weights: is"),
    ("CollocationData.points.equations.weights", torch.zeros(3, 1), r"weights: is a tensor \(3, 1\)"),
    ("operators", {"engine": "steam"}, "operators.engine: there is no 'steam'"),
    ("operators", {"engine": "jets", "chunk": -1}, "operators.chunk: is -1"),
    ("operators", {"motor": 1}, "operators: "),
    ("pytorch-lightning_version", "one", "pytorch-lightning_version"),
    ("pytorch-lightning_version", "1.5.0", "1.5.0 is too old"),
    ("epoch", None, "epoch: None is no int"),
    ("lr_schedulers", {}, "lr_schedulers: {} is no list"),
    ("global_step", DELETE, "it has no 'global_step'"),
    ("pinnkit.config", None, "pinnkit.config: is no text"),
    ("pinnkit.data", {"reference": 1}, "pinnkit.data: is no mapping of texts"),
    ("extra", torch.zeros(1).expand(10**12), "is a tensor without all of its numbers"),
]


@pytest.mark.parametrize(
    ("key", "value", "message"), DAMAGES, ids=lambda one: "missing" if one is DELETE else str(one)[:40]
)
def test_what_cannot_be_is_told_as_damaged_and_the_one_before_is_used(key, value, message, run, caplog):
    module, folder = run
    rewritten(folder.last_checkpoint, key, value)
    path, _ = newest([folder.last_checkpoint, folder.previous_checkpoint], module)
    assert path == folder.previous_checkpoint
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"{folder.last_checkpoint}: " in told
    assert re.search(message, told), told


@pytest.mark.parametrize("way", WAYS)
def test_the_checkpoints_of_every_optimizer_fit(way, runs):
    module, folder = runs(way)
    for path in (folder.last_checkpoint, folder.previous_checkpoint, folder.best_checkpoint):
        check_fits(path, read(path), module)


NUMBERS = [
    "state_dict.network.networks.0.1.layers.0.weight", "CollocationData.points.equations.coordinates",
    f"{STATE}.gradient", f"{STATE}.half", f"{STATE}.direction", f"{STATE}.inverse_hessian.factor", f"{STATE}.loss",
    f"{STATE}.expected_step", f"{STATE}.length", "optimizer_states.0.state.0.exp_avg_sq",
    "optimizer_states.0.param_groups.0.lr", "progress.train_time_s", "progress.step_time_s",
    "progress.first_objective", "progress.evaluations", f"{ROWS}.0.time_s", "callbacks.Checkpoints.least",
]  # fmt: skip


@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_that_is_not_finite_is_divergence(key, run):
    module, folder = run
    content = torch.load(folder.last_checkpoint, weights_only=True)
    place, last = at(content, key)
    if isinstance(place[last], torch.Tensor):
        place[last].view(-1)[-1] = math.nan
    else:
        place[last] = math.nan
    torch.save(content, folder.last_checkpoint)
    assert newest([folder.last_checkpoint, folder.previous_checkpoint], module)[0] == folder.previous_checkpoint
    with pytest.raises(DamagedCheckpoint, match="as training had diverged: ") as raised:
        newest([folder.last_checkpoint], module)
    assert raised.value.diverged


def leaves(content, path=""):
    """The dotted keys of all that is no mapping or list."""
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in parts:
        where = f"{path}.{key}" if path else str(key)
        yield where
        if isinstance(value, dict | list):
            yield from leaves(value, where)


@pytest.mark.parametrize("way", WAYS)
def test_whatever_is_altered_is_refused_in_words_or_can_be_loaded(way, runs, tmp_path):
    """Nothing that the checks let pass makes an optimizer or the data raise while it is loaded."""
    module, folder = runs(way)
    whole = torch.load(folder.last_checkpoint, weights_only=True)
    chance = random.Random(0)
    keys = [key for key in leaves(whole) if "." in key and "loops" not in key and "network.networks" not in key]
    path = tmp_path / "last.ckpt"
    for key in chance.sample(keys, 40):
        content = copy.deepcopy(whole)
        place, last = at(content, key)
        place[last] = chance.choice([None, -1, "text", math.inf, [], {}, torch.zeros(2, 3), 10**12, True])
        torch.save(content, path)
        try:
            content = read(path)
            check_fits(path, content, module)
        except DamagedCheckpoint:
            continue
        for stage, state in zip(module.stages, content["optimizer_states"], strict=True):
            stage.optimizer(list(module.parameters())).load_state_dict(state)
        module.trainer.datamodule.load_state_dict(content["CollocationData"])


def test_where_every_checkpoint_holds_nan_the_run_has_diverged(run, capfd):
    _, folder = run
    for path in (folder.last_checkpoint, folder.previous_checkpoint):
        content = torch.load(path, weights_only=True)
        next(iter(content["state_dict"].values())).fill_(math.nan)
        torch.save(content, path)
    settings = settings_of("ssbroyden")
    with pytest.raises(
        NoFiniteCheckpoint, match=r"no checkpoint can be used: .*holds NaN or infinity.*Start a new run"
    ):
        solved(folder.path, settings=settings, resume=True)


def test_the_command_ends_with_3_where_no_checkpoint_is_finite_and_loses_nothing(tmp_path, capfd):
    out = tmp_path / "out"
    assert command(tmp_path, *WORDS, f"hydra.run.dir={out}") == 0
    for path in (out / "checkpoints").iterdir():
        content_ = torch.load(path, weights_only=True)
        content_["state_dict"] = {name: value * math.nan for name, value in content_["state_dict"].items()}
        torch.save(content_, path)
    before = content(out)
    capfd.readouterr()
    assert command(tmp_path, f"resume={out}", "trainer.max_steps=20") == 3
    told = capfd.readouterr().err
    assert told.count("no checkpoint can be used") == 1
    assert "Traceback" not in told
    assert content(out) == before


def test_parameters_that_are_not_finite_at_the_end_are_divergence(tmp_path, monkeypatch):
    """The last step may spoil what no evaluation sees any more."""
    step = OptimizerStep.take

    def spoilt(self, *arguments):
        step(self, *arguments)
        if self.state.progress.step == 10:
            next(iter(self.state.model.network.parameters())).data.fill_(math.nan)

    monkeypatch.setattr(OptimizerStep, "take", spoilt)
    with pytest.raises(Diverged, match="training diverged at step 10: the term 'start' is nan at t = 0"):
        solved(tmp_path)
    assert RunFolder(tmp_path).read_metrics()["status"] == "diverged"


@pytest.mark.parametrize("value", ["text", None, -1.0, math.inf, True])
def test_a_first_objective_is_a_number_also_before_the_first_step_of_a_stage(value, runs):
    module, _ = runs("ssbroyden")
    kept = module.progress.state_dict() | {"stage_step": 0, "first_objective": math.nan}
    checkpoint_schema._check_progress(kept, module)
    with pytest.raises(InvalidStateError, match=r"progress\.first_objective"):
        checkpoint_schema._check_progress(kept | {"first_objective": value}, module)
