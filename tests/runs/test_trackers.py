"""Weights & Biases and MLflow as loggers of runs."""

import json
import re

import pytest
from lightning.pytorch.loggers import MLFlowLogger, WandbLogger

import pinnkit
from pinnkit.cli.train import train
from pinnkit.language.errors import Report
from pinnkit.reading import read_as
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs.trackers import begin, end
from pinnkit.training.settings import Logger
from tests.conftest import composed
from tests.runs.small import CONF, QUICK, WORDS, command, solved


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("logger=mlflow", (True, False, True)),
        ("logger=[wandb,mlflow]", (True, True, True)),
        ("logger=[mlflow,tensorboard]", (True, False, True)),
        ("logger=[tensorboard,wandb]", (True, True, False)),
        ("logger=none", (False, False, False)),
    ],
)
def test_loggers_are_chosen_one_or_several(override, expected):
    logger = read_as(Logger, composed(["pde=heat", override])["logger"], Report())
    assert (logger.tensorboard, logger.wandb.enabled, logger.mlflow.enabled) == expected


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_missing_package_is_told_before_anything_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    words = [word for word in WORDS if word != "logger=none"]
    assert command(tmp_path, *words, f"logger={name}", f"hydra.run.dir={tmp_path / 'run'}") == 2
    assert f'logger.{name}: needs {name}: pip install "pinnkit[{name}]"' in capsys.readouterr().err
    assert list((tmp_path / "run").glob("*")) == []


@pytest.mark.filterwarnings("ignore")  # MLflow's and its packages' own
def test_mlflow_has_settings_metrics_and_figures_and_goes_on_in_the_same_run(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: pip install mlflow")
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path / 'store.db'}"
    logger = {"mlflow": {"enabled": True, "tracking_uri": store}, "tensorboard": False}
    settings = {**QUICK, "logger": logger, "callbacks": {**QUICK["callbacks"], "figures": True}}
    first = solved(tmp_path / "run", settings=settings)
    identity = json.loads((tmp_path / "run" / "loggers.json").read_text())["mlflow"]
    client = mlflow.tracking.MlflowClient(store)
    found = client.get_run(identity)
    assert found.data.params["phases"].startswith("[{")
    assert found.data.params["pde.equations.decay"] == "u_t = -rate*u"
    assert found.data.metrics["final/relative_l2/u"] == pytest.approx(first.metrics["relative_l2"]["u"], rel=1e-12)
    assert found.data.tags["status"] == found.info.status.lower() == "finished"
    steps = [one.step for one in client.get_metric_history(identity, "loss/objective")]
    assert steps == sorted(steps)
    assert steps[-1] == 10
    pictures = {one.path for one in client.list_artifacts(identity, "figures")}
    assert pictures == {f"figures/{one.stem}" for one in (tmp_path / "run" / "figures").iterdir()}
    assert not (tmp_path / "run" / "tensorboard").exists()
    more = {**settings, "trainer": {"max_steps": 14}}
    solved(tmp_path / "run", settings=more, resume=True)
    assert len(client.search_runs([found.info.experiment_id])) == 1
    assert client.get_metric_history(identity, "loss/objective")[-1].step == 14


@pytest.mark.filterwarnings("ignore")
def test_wandb_writes_offline_and_goes_on_in_the_same_run(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="Weights & Biases is not installed: pip install wandb")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    init, summaries = wandb.init, []

    def begun(**options):
        run = init(**options)
        finish = run.finish
        run.finish = lambda **end: (summaries.append(dict(run.summary)), finish(**end))  # it is gone afterwards
        return run

    monkeypatch.setattr(wandb, "init", begun)
    logger = {"wandb": {"enabled": True, "offline": True}, "tensorboard": True}
    settings = {**QUICK, "logger": logger, "callbacks": {**QUICK["callbacks"], "figures": True}}
    first = solved(tmp_path / "run", settings=settings)
    identity = json.loads((tmp_path / "run" / "loggers.json").read_text())["wandb"]
    assert summaries[0]["final/relative_l2/u"] == pytest.approx(first.metrics["relative_l2"]["u"], rel=1e-12)
    assert summaries[0]["loss/objective"] > 0
    assert summaries[0]["verdict"] == first.metrics["verdict"]
    images = tmp_path.glob("wandb/*/files/media/images/figures/*.png")
    pictures = {re.sub(r"_\d+_[0-9a-f]+$", "", one.stem) for one in images}
    assert pictures == {one.stem for one in (tmp_path / "run" / "figures").iterdir()}
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    solved(tmp_path / "run", settings={**settings, "trainer": {"max_steps": 14}}, resume=True)
    assert len(list((tmp_path / "wandb").glob(f"offline-run-*/run-{identity}.wandb"))) == 2
    assert summaries[1]["final/steps"] == 14
    assert wandb.run is None


class Unreachable(WandbLogger):
    """One whose server does not answer."""

    def __init__(self):
        pass

    @property
    def experiment(self):
        raise ConnectionError("refused\nwith many more lines")


def test_a_tracker_that_cannot_be_reached_is_an_error_in_words(tmp_path):
    message = r"^logger\.wandb: ConnectionError: refused: logger\.wandb\.offline=true needs no server$"
    with pytest.raises(pinnkit.ProblemError, match=message):
        begin([Unreachable()], RunFolder(tmp_path), "seed: 0", resume=False)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_mlflow_refuses_is_an_error_in_words(tmp_path, monkeypatch, capsys):
    def refused(**options):
        raise ValueError(f"no store of {options['tracking_uri']}\nwith many more lines")

    monkeypatch.setattr("importlib.util.find_spec", lambda module: True)
    monkeypatch.setattr("pinnkit.runs.trackers.MLFlowLogger", refused)
    words = [word for word in WORDS if word != "logger=none"] + ["logger=mlflow", "logger.mlflow.tracking_uri=nowhere:"]
    assert command(tmp_path, *words, f"hydra.run.dir={tmp_path / 'run'}") == 2
    assert "logger.mlflow: ValueError: no store of nowhere:\n" in capsys.readouterr().err


def test_both_are_named_on_the_command_line(tmp_path, capsys):
    assert train(["pde=heat", "logger=wandbb"], CONF) == 2
    assert "logger: there is no 'wandbb'; did you mean 'wandb'?" in capsys.readouterr().err


def test_a_tracker_that_is_lost_at_the_end_is_a_warning(caplog):
    class Lost(MLFlowLogger):
        def log_metrics(self, *_, **__):
            raise ConnectionError("the server is gone")

    lost = Lost.__new__(Lost)  # MLflow need not be installed
    end([lost], {"status": "finished", "steps": 1, "loss": 0.5})
    (record,) = caplog.records
    assert "logger.mlflow has not been told how the run ended (the server is gone)" in record.getMessage()
