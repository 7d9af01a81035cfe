"""Windows of time: networks that are trained one after the other, each from where the one before ends."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.language.errors import Report
from pinnkit.problem.narrowed_time import START
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import data_of
from pinnkit.runs.methods import with_method
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS
from pinnkit.settings import Settings, read_settings
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, check_fits, read
from pinnkit.training.window_budget import OVER, WindowBudget
from tests.conftest import assembled
from tests.runs.small import QUICK
from tests.runs.test_exported_maps import subject_of

SWING = {  # of second order: u and u_t go on from window to window
    "name": "swing",
    "coordinates": {"t": [0, 6]},
    "fields": ["u"],
    "equations": {"swing": "u_tt = -sin(u)"},
    "conditions": {"start": {"at": "t = 0", "equations": ["u = 1", "u_t = 0"], "weight": 4}},
}
ROD = {
    "name": "rod",
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"growth": "u_t = 0.1*u_xx + u*(1 - u)"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = 0.5 + 0.1*cos(pi*x)"},
        "ends": {"at": ["x = -1", "x = 1"], "equations": "u_x = 0"},
    },
}
STEPS = 120


def settings(steps=STEPS, windows=3, **others):
    limits = {"max_steps": steps, **others.pop("trainer", {})}
    sampling = {"equations": 40, "redraw_every": 25}
    return {**QUICK, "windows": windows, "trainer": limits, "sampling": sampling, **others}


def solved(folder, words=SWING, resume=False, **others):
    return pinnkit.solve(Problem(**words), folder, settings(**others), resume=resume)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of three windows, and one that was ended in the second, and goes on."""
    folder = tmp_path_factory.mktemp("windows")
    whole = solved(folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pinnkit.training.stopping.Stopping._steps", ended_at(65))
        cut = solved(folder / "parts")
    parts = solved(folder / "parts", resume=True)
    return SimpleNamespace(whole=whole, cut=cut, parts=parts, folder=folder)


def ended_at(step):
    """Training ends there, and the budgets of windows stay as they are."""
    return lambda self: "enough" if self.state.progress.step >= step else None


def test_the_windows_follow_each_other_to_the_end_of_time_in_one_run(runs):
    found = runs.whole.metrics["windows"]
    assert [(one["from"], one["to"], one["steps"]) for one in found] == [(0, 2, 40), (2, 4, 40), (4, 6, 40)]
    assert all(0 < one["residual"] < 0.05 for one in found)
    assert runs.whole.metrics["windows_failed"] == 0
    assert runs.whole.metrics["polish"] is None
    assert "windows of time have a network each" in runs.whole.metrics["estimated_error_text"]
    told = (runs.folder / "whole" / "train.log").read_text()
    assert "window t = 2 to 4: 40 steps, relative residual " in told
    assert "(the window's 40 steps are done)" in told
    t = np.load(runs.folder / "whole" / "solution.npz")
    np.testing.assert_array_equal(t["u"], runs.whole(t=t["t"])["u"])


def test_each_window_goes_on_with_the_value_and_the_slope_of_the_one_before(runs):
    """At a joint the earlier window counts, and the later one is the same there, but for its loss."""
    network = runs.whole.module.network
    first, second = network.windows.solved
    joint = torch.tensor([[2.0]], dtype=torch.float64)
    earlier, later = (one.fields(joint, network._fields).item() for one in (first, second))
    assert runs.whole(t=2.0)["u"] == earlier
    assert 0.0 < abs(later - earlier) < 0.02
    slopes = runs.whole.derivative("u_t")
    assert abs(slopes(t=np.array([2.0])) - slopes(t=np.array([2.0 + 1e-9]))) < 0.02
    assert abs(runs.whole(t=2.0 + 1e-12)["u"] - later) < 1e-9


def test_the_answer_is_that_of_the_whole_time(runs):
    """The pendulum, by its energy: u_t^2 / 2 - cos(u) stays what it was."""
    t = np.linspace(0, 6, 40)
    u, slope = runs.whole(t=t)["u"], runs.whole.derivative("u_t")(t=t)
    assert abs(slope**2 / 2 - np.cos(u) + np.cos(1.0)).max() < 0.1


def test_a_run_that_is_resumed_in_the_second_window_ends_as_the_whole_one(runs):
    assert len(runs.cut.module.network.windows.solved) == 1
    whole, parts = (one.module.state_dict() for one in (runs.whole, runs.parts))
    assert all(torch.equal(parts[name], value) for name, value in whole.items())
    for one, other in zip(*(run.module.network.windows.solved for run in (runs.whole, runs.parts)), strict=True):
        assert (one.lower, one.upper) == (other.lower, other.upper)
        assert all(torch.equal(other.state_dict()[name], value) for name, value in one.state_dict().items())
    assert runs.parts.metrics["windows"] == runs.whole.metrics["windows"]


def test_a_run_that_is_read_back_saved_or_exported_has_every_window(runs, tmp_path):
    t = np.array([0.0, 0.7, 2.0, 2.1, 3.9, 4.0, 5.5, 6.0])
    values = runs.whole(t=t)["u"]
    np.testing.assert_array_equal(pinnkit.load(runs.folder / "whole")(t=t)["u"], values)
    runs.whole.save(tmp_path / "saved.pt")
    np.testing.assert_array_equal(pinnkit.load(tmp_path / "saved.pt")(t=t)["u"], values)
    path = NETWORK_EXPORTERS["pt2"]().save(tmp_path, subject_of(runs.whole.module))
    exported = torch.export.load(path).module()({"t": torch.from_numpy(t)})["u"]
    np.testing.assert_allclose(exported.detach().numpy(), values, rtol=1e-12, atol=1e-14)


def test_the_best_state_is_one_of_the_last_window(runs):
    kept = read(runs.folder / "whole" / "checkpoints" / "best.ckpt")
    assert [one["ends"] for one in kept["windows"]["solved"]] == [[0.0, 2.0], [2.0, 4.0]]
    assert kept["callbacks"]["Checkpoints"]["terms"][-1] == "window 2"


def test_a_checkpoint_of_other_windows_is_refused(runs):
    path = runs.folder / "whole" / "checkpoints" / "last.ckpt"
    kept, module = read(path), runs.whole.module
    check_fits(path, kept, module)
    kept["windows"]["solved"][1]["ends"] = [2.5, 4.0]
    with pytest.raises(DamagedCheckpoint, match=r"windows\.solved\[1\]\.ends: \[2\.5, 4\.0\] do not go on from 2"):
        check_fits(path, kept, module)
    del kept["windows"]
    with pytest.raises(DamagedCheckpoint, match="windows: are missing"):
        check_fits(path, kept, module)


def test_points_lie_in_the_window_and_the_start_holds_what_the_one_before_ends_with():
    module, batches = assembled(ROD, settings(windows=4))
    windows, network = module.state.windows, module.network
    assert set(batches) == {"equations", "initial", "ends"}
    assert float(batches["equations"].coordinates[:, 1].max()) <= 0.25
    network.windows.close(network.networks)
    network.windows.place(0.25, 0.5)
    windows.number += 1
    with torch.no_grad():
        for one in network.networks.parameters():
            one.add_(0.1)  # the present networks are others
    data = data_of(module, read_settings(settings(windows=4), Report()))
    data.draw(0)
    later = data.batches()
    assert set(later) == {"equations", START, "ends"}
    for name in ("equations", "ends"):
        time = later[name].coordinates[:, 1]
        assert 0.25 <= float(time.min()) < float(time.max()) <= 0.5
    start = later[START]
    assert bool((start.coordinates[:, 1] == 0.25).all())
    np.testing.assert_array_equal(start.columns[f"{START}_u"][:, 0], network.before(start.coordinates)[:, 0].detach())
    network.windows.alone = True
    residual = module.values.residuals(START, start)[f"{START}_u"]
    assert torch.equal(residual[:, 0], network(start.coordinates)[:, 0] - start.columns[f"{START}_u"][:, 0])


FORCED = {  # u = sin(t) + slow: half of the time is easy, and the other swings fast
    "name": "forced",
    "coordinates": {"t": [0, 4]},
    "fields": ["u"],
    "equations": {"forced": "u_t = -u + where(t > 2, 30*cos(30*t), 0)"},
    "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}},
}


def test_widths_are_halved_where_a_window_does_not_converge_and_doubled_where_it_is_easy(tmp_path, monkeypatch):
    monkeypatch.setattr("pinnkit.training.time_windows.FIRST", 4)
    told = iter([1.0, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9])  # the first one fails, at width 1
    monkeypatch.setattr("pinnkit.training.time_windows.window_residual", lambda *_: next(told))
    monkeypatch.setattr("pinnkit.training.window_budget.WindowBudget.left", lambda *_: 0.9)
    run = solved(tmp_path / "run", FORCED, windows="auto", steps=40)
    found = [(one["from"], one["to"]) for one in run.metrics["windows"]]
    assert found == [(0, 0.5), (0.5, 1.5), (1.5, 2.75), (2.75, 4.0)]
    assert run.metrics["windows_failed"] == 1
    log = (tmp_path / "run" / "train.log").read_text()
    assert "window t = 0 to 1: 10 steps, relative residual 1.0e+00 (the window's 10 steps are done); one half" in log


def test_the_time_of_a_window_may_end_in_any_of_its_stages(tmp_path, monkeypatch):
    """Amid a block of steps, with another stage behind that has the same points."""

    def over(self, course):
        return f"{OVER}'s time is over" if self.own and course.progress.step - self.began_step >= 7 else None

    monkeypatch.setattr(WindowBudget, "time_over", over)
    found = solved(tmp_path / "run", steps=20, windows=2, phases=[{"name": "adam", "steps": 100}, "ssbroyden"])
    assert [one["steps"] for one in found.metrics["windows"]] == [7, 13]


@pytest.mark.parametrize(("windows", "seen"), [(2, False), (None, True)])
def test_rises_of_the_objective_are_left_to_the_end_of_a_window(windows, seen, tmp_path, monkeypatch):
    monkeypatch.setattr("pinnkit.training.divergence.RISE", 1e-9)  # every objective on new points is a rise
    assert ("rises" in solved(tmp_path / "run", steps=80, windows=windows).metrics) == seen


def test_a_window_that_failed_begins_again_from_what_it_began_with():
    module, _ = assembled(FORCED, settings(windows="auto"))
    windows, began = module.state.windows, [one.clone() for one in module.network.networks.parameters()]
    module.state.clock.start(0.0)
    with torch.no_grad():
        for one in module.network.networks.parameters():
            one.add_(1.0)
    assert windows.close(module.state, module.values, "it is over") is None
    assert windows.told[0].failed
    assert all(map(torch.equal, began, module.network.networks.parameters()))
    assert (module.network.windows.lower, module.network.windows.upper) == (0.0, 0.2)


@pytest.mark.parametrize(
    ("words", "others", "message"),
    [
        ({"coordinates": {"x": [0, 1]}, "equations": "u_x = 1", "conditions": {}}, {}, "windows: cannot be: it has no"),
        ({"parameters": {"k": {"learn": 1.0}}, "equations": "u_t = -k*u"}, {}, "windows: .* learned numbers belong"),
        ({"conditions": {"start": {"at": "t = 0", "equations": "u = 1", "hard": True}}}, {}, "'start' at the start is"),
        ({"equations": "u_t = integral(u(t=s), s, 0, t)"}, {}, "windows: cannot be: .* reads another time"),
        ({}, {"levels": 2}, "levels: levels and windows do not go together"),
        ({}, {"polish": True}, "polish: features cannot correct windows"),
        ({}, {"trainer": {"stop_estimated_error": 1e-3}}, "trainer.stop_estimated_error: the error of windows"),
        ({}, {"windows": "many"}, "windows: 'many': auto, null or a whole number"),
        ({}, {"windows": 0}, "windows: 0: auto, null or a whole number from 1"),
    ],
)
def test_what_windows_cannot_do_is_refused(words, others, message, tmp_path):
    with pytest.raises(pinnkit.ProblemError, match=message):
        solved(tmp_path / "run", {**FORCED, **words}, **others)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("engine", ["jets", "compiled"])
def test_an_engine_goes_on_in_the_next_window_without_being_recorded_again(engine, recorded):
    found = []
    for one in ("autograd", engine):
        module, batches = assembled(ROD, settings(windows=2, operators={"engine": one}))
        module.network.windows.alone = True
        evaluator = module.computation.make_evaluator(one, None)
        given = evaluator.prepare(batches), module.computation.weight_vector(), evaluator.draw_directions(0, 0)
        first = evaluator(*given)
        module.network.windows.place(0.5, 0.75)
        evaluator.renew_constants()
        found.append([*first, *evaluator(*given)])
    for own, known in zip(*found, strict=True):
        torch.testing.assert_close(own, known, rtol=1e-10, atol=1e-12)
    assert abs(found[0][0] - found[0][2]).max() > 1e-3
    assert len(recorded) == 1


def test_the_log_of_a_nonlinear_evolution_names_windows(caplog):
    caplog.set_level("INFO", "pinnkit")
    told = "windows=auto trains a nonlinear evolution in windows of time"
    with_method(Problem(**SWING), Settings())
    assert any(one.startswith(told) for one in caplog.messages)
    caplog.clear()
    with_method(Problem(**{**SWING, "equations": "u_tt = -u"}), Settings())
    with_method(Problem(**SWING), Settings(windows="auto"))
    assert not any(one.startswith(told) for one in caplog.messages)
