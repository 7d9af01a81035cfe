"""report.html and the board of whole runs."""

import json
import shutil

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from pinnkit.cli.evaluate import evaluate
from pinnkit.runs.board import hyperparameters
from pinnkit.training.exceptions import Diverged
from tests.reporting.test_report import Page, check_loads_nothing
from tests.runs.small import DECAY, QUICK, command, solved

LEARNED = {
    **DECAY,
    "description": "<b>Decay</b> | with `marks`",
    "parameters": {"rate": {"learn": 0.5}},
    "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}, "end": {"at": "t = 1", "equations": "u = exp(-1)"}},
    "exact": {"u": "exp(-t)", "rate": 1},
}
LOGGED = {**QUICK, "logger": {"tensorboard": True}, "callbacks": {**QUICK["callbacks"], "figures_every": 5}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "run"
    solved(folder, LEARNED, LOGGED)
    return folder


@pytest.fixture(scope="module")
def events(run):
    found = EventAccumulator(str(run / "tensorboard"), size_guidance={"images": 0, "scalars": 0, "tensors": 0})
    return found.Reload()


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def page_of(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def text_of(events, tag):
    return events.Tensors(f"{tag}/text_summary")[-1].tensor_proto.string_val[0].decode()


def test_the_numbers_of_the_report_are_those_of_metrics(run):
    metrics, page = metrics_of(run), page_of(run)
    check_loads_nothing(page)
    assert f"{metrics['relative_l2']['u']:.3e}" in page.text
    assert f"{metrics['max_error']['u']:.3e}" in page.text
    assert f"{metrics['residual_rms']['decay']:.3e}" in page.text
    assert f"{metrics['loss']:.3e}" in page.text
    learned = metrics["learned"]["rate"]
    assert f"rate {learned['value']:.8g} 1 {learned['relative_error']:.3e}" in page.text
    assert "seed 0" in page.text
    assert f"pinnkit {metrics['versions']['pinnkit']}" in page.text
    assert "<b>Decay</b> | with `marks`" in page.text
    assert page.tags.count("b") == 4  # of the key numbers, and none of the description's


def test_the_report_has_equations_settings_and_how_to_repeat_it(run):
    page = page_of(run)
    assert page.tags.count("math") == 5  # the equation, two conditions, the exact field and parameter
    assert "network.width 5" in page.text
    assert "trainer.max_steps 10 null" in page.text
    assert "start: at t = 0" in page.text
    assert f"--config-dir {run.resolve()} --config-name config" in page.text
    assert metrics_of(run)["commit"] is None or metrics_of(run)["commit"] in page.text
    links = {value for tag, name, value in page.attributes if name == "href"}
    assert {"config.yaml", "metrics.json", "solution.npz", "tensorboard/"} <= links
    assert all((run / link).exists() for link in links)


def test_evaluation_makes_the_report_anew_and_one_of_its_own(run, tmp_path, capsys):
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    (copied / "report.html").unlink()
    assert evaluate([f"run={copied}", "grid=21"]) == 0
    measured, own = metrics_of(copied / "evaluation"), page_of(copied / "evaluation")
    assert f"{measured['relative_l2']['u']:.3e}" in own.text
    assert f"{metrics_of(run)['relative_l2']['u']:.3e}" in page_of(copied).text
    assert ("img", "alt", "solution u") in own.attributes
    assert f"written to {copied / 'evaluation'}" in capsys.readouterr().out


def test_a_run_that_diverges_says_so_first(tmp_path):
    words = {**DECAY, "equations": {"decay": "u_t = -rate*u*exp(u^4)"}, "exact": {}}
    adam = {"name": "adam", "learning_rate": 1e6}
    with pytest.raises(Diverged):
        solved(tmp_path / "run", words, {**LOGGED, "phases": [adam], "callbacks": QUICK["callbacks"]})
    page = page_of(tmp_path / "run")
    check_loads_nothing(page)
    assert page.text.index("Training diverged") < page.text.index("training diverged at step")
    assert page.text.index("training diverged at step") < page.text.index("Equations and conditions")
    assert "Nothing was measured" in page.text
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"), size_guidance={"tensors": 0}).Reload()
    assert text_of(board, "verdict").startswith("### Training diverged: there is no solution")


def test_scalars_are_in_few_groups(events):
    tags = events.Tags()["scalars"]
    assert {tag.partition("/")[0] for tag in tags if "/" in tag} == {
        "loss", "log10_loss", "weight", "error", "log10_error", "optimizer", "learned", "speed", "final",
    }  # fmt: skip
    assert [tag for tag in tags if "/" not in tag] == []
    assert {"loss/objective", "loss/decay", "error/u", "optimizer/phase", "speed/points_per_second"} <= set(tags)


def test_figures_are_logged_at_the_start_and_while_training(events):
    assert [one.step for one in events.Images("figures/solution_u")] == [0, 10]


def test_texts_are_the_problem_the_settings_and_the_verdict(run, events):
    problem = text_of(events, "problem")
    assert "    ∂u/∂t = \u2212rate u" in problem
    assert "&lt;b&gt;Decay&lt;/b&gt; &#124; with \\`marks\\`" in problem
    assert "at t = 0" in problem
    assert text_of(events, "settings") == "\n".join(
        f"    {line}" for line in (run / "config.yaml").read_text().splitlines()
    )
    verdict = text_of(events, "verdict")
    assert f"{metrics_of(run)['relative_l2']['u']:.3e}" in verdict


def test_hyperparameters_come_with_the_final_metrics(run, events):
    metrics = metrics_of(run)
    assert events.Scalars("final/error")[-1].value == pytest.approx(metrics["relative_l2"]["u"], rel=1e-6)
    assert events.Scalars("final/objective")[-1].value == pytest.approx(metrics["loss"], rel=1e-6)
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    info = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert info.hparams["network.width"].number_value == 5
    assert info.hparams["optimizer"].string_value == "ssbroyden"
    assert info.hparams["status"].string_value == "finished"


def test_runs_of_a_sweep_have_what_differs_as_hyperparameters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["pde=decay", "network.width=5", "network.depth=1", "sampling.equations=20", "operators=autograd"]
    words += ["optimizer=adam", "optimizer.learning_rate=0.01,0.02", "trainer.max_steps=10", "callbacks=quiet"]
    assert command(tmp_path, *words, "callbacks.figures=false", "hydra.sweep.dir=sweep", flags=["-m"]) == 0
    found = set()
    for number in "01":
        board = EventAccumulator(str(tmp_path / "sweep" / number / "tensorboard")).Reload()
        content = board.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        info = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
        found.add(info.hparams["optimizer.learning_rate"].number_value)
        assert "callbacks" not in info.hparams
        assert page_of(tmp_path / "sweep" / number).text.count(f"optimizer.learning_rate=0.0{int(number) + 1}") == 1
    assert found == {0.01, 0.02}


def test_values_that_are_not_known_leave_an_empty_text():
    from pinnkit.problem.problem import Problem
    from pinnkit.settings import Settings

    found = hyperparameters(Settings(), Problem(**DECAY), {"status": "failed", "overrides": ["~x", "+a.b=1e-3"]})
    assert found["verdict"] == found["optimizer"] == ""
    assert found["a.b"] == 1e-3
    assert found["problem"] == "decay"
