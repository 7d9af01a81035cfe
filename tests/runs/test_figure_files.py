"""Files of figures and animations: formats, resolution, units, and what is refused in words."""

import json

import numpy as np
import pytest
from PIL import Image

from pinnkit.cli.evaluate import evaluate
from pinnkit.problem.problem import Problem
from pinnkit.reporting import animation
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import animation as animations
from pinnkit.runs.planes import check_moves
from tests.problem.configs import words
from tests.runs.small import QUICK, solved

ROD = words(
    name="rod",
    parameters={"alpha": {"learn": 0.05}},
    exact={"alpha": 0.1, "u": "exp(-0.1*pi^2*t) * sin(pi*x)"},
    units={"x": "m", "t": "s", "u": "K", "alpha": "m^2/s"},
)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A run folder, evaluated with an animation of three frames, and what was printed."""
    folder = tmp_path_factory.mktemp("rod")
    settings = {**QUICK, "trainer": {"max_steps": 2}, "callbacks": {"progress": False, "figures": False}}
    solution = solved(folder / "run", ROD, settings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(animation, "PIXELS", 90)
        patched.setattr(animations.animate_fields, "__defaults__", ("gif", (), 3, 10))
        code = evaluate([f"run={folder / 'run'}", "animate=gif", "format=svg", "dpi=40", "grid=9"])
    assert code == 0
    return solution, folder / "run" / "evaluation"


def test_units_are_in_the_metrics_and_in_the_figures(evaluated):
    solution, folder = evaluated
    assert solution.metrics["units"] == ROD["units"]
    assert json.loads((folder / "metrics.json").read_text())["units"] == ROD["units"]
    assert {"solution_u.svg", "learned_parameters.svg"} <= {path.name for path in (folder / "figures").iterdir()}
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".svg"}


def test_the_animation_has_a_frame_for_each_time(evaluated):
    with Image.open(evaluated[1] / "animation_u.gif") as image:
        assert image.n_frames == 3
        assert image.width == 90


def test_a_solution_writes_one_field(evaluated, tmp_path, monkeypatch):
    solution = evaluated[0]
    monkeypatch.setattr(animation, "PIXELS", 90)
    path = solution.animate(tmp_path / "rod.gif", frames=2)
    with Image.open(path) as image:
        first, count = np.asarray(image.convert("L"), float), image.n_frames
        image.seek(1)
        assert count == 2
        assert np.abs(np.asarray(image.convert("L"), float) - first).max() > 50  # the curve has moved
    with pytest.raises(ValueError, match=r"no field 'v' in time.*there are u"):
        solution.animate(tmp_path / "v.gif", "v")
    with pytest.raises(ValueError, match=r"rod\.png: an animation is a gif or mp4 file"):
        solution.animate(tmp_path / "rod.png")
    with pytest.raises(ValueError, match="frames=1"):
        solution.animate(tmp_path / "rod.gif", frames=1)


def test_resolution_and_several_formats(tmp_path):
    from pinnkit.reporting.figure_style import new_figure

    with new_figure(3.0, 2.0, "title") as figure:
        axes = figure.subplots()
        axes.pcolormesh(np.random.default_rng(0).random((60, 60)), rasterized=True)
    paths = RunFolder(tmp_path).write_figures({"u": figure}, ("png", "pdf", "svg"), 50)
    assert [path.name for path in paths] == ["u.png", "u.pdf", "u.svg"]
    with Image.open(paths[0]) as image:
        assert image.size == (150, 100)
    svg = paths[2].read_text()
    assert svg.count("<image") == 1  # the map; not a polygon for each of its cells
    assert svg.count("<path") < 200
    assert "<dc:date>" not in svg
    assert b"CreationDate" not in paths[1].read_bytes()


def test_what_does_not_move_is_refused_before_torch_is_loaded(tmp_path, capsys):
    with pytest.raises(ValueError, match="has no time: an animation shows fields in time"):
        check_moves(Problem(coordinates={"x": [0, 1]}, fields=["u"], equations="u_xx = 0"))
    run = solved(tmp_path / "run", settings={**QUICK, "trainer": {"max_steps": 1}}).folder
    assert evaluate([f"run={run}", "animate=gif"]) == 2
    assert "animate: decay has no space" in capsys.readouterr().err
    assert evaluate([f"run={run}", "animate=avi", "format=png,bmp"]) == 2
    message = capsys.readouterr().err
    assert "format: 'bmp': one of png, pdf, svg is needed" in message
    assert "animate: 'avi': one of gif, mp4 is needed" in message
