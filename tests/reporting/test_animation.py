"""Animations: frames, and what stands in the way."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image, ImageSequence

from pinnkit.reporting import animation, animation_formats
from pinnkit.reporting.animation import animate
from pinnkit.reporting.animation_formats import CannotAnimateError
from tests.reporting.figure_cases import mesh


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(animation, "PIXELS", 120)


def frames(path):
    with Image.open(path) as image:
        assert image.info["loop"] == 0
        return [np.asarray(one.convert("RGB"), dtype=int) for one in ImageSequence.Iterator(image)]


def test_a_curve_moves_while_its_axes_stay(heat, tmp_path):
    grid, u, error = heat
    path = animate(tmp_path / "u.gif", "heat", grid, u + error, "$u$", u)
    found = frames(path)
    assert len(found) == len(grid.axis("t"))
    assert found[0].shape[:2] == (80, 120)
    changed = np.abs(found[0] - found[-1]).sum(axis=2) > 60
    assert changed.any()
    left, below = changed[:, :12], changed[-12:]  # the labels of the axes, and the legend
    assert not left.any()
    assert not below.any()
    assert found[0].max() == 255


def test_a_map_has_the_values_of_each_time(tmp_path, monkeypatch):
    grid = mesh(x=np.linspace(0, 1, 4), y=np.linspace(0, 1, 3), t=np.linspace(0, 1, 3))
    u = grid.coordinates["x"] + 10 * grid.coordinates["t"]
    painted = []
    monkeypatch.setattr(animation, "paint_view", lambda axes, _, values, view, scale: painted.append((view, scale)))
    found = frames(animate(tmp_path / "u.gif", "", grid, u, "$u$"))
    assert len(found) == 3
    assert [view.at["t"] for view, _ in painted[1:]] == [0, 1, 2]
    assert {(scale.low, scale.high) for _, scale in painted} == {(0.0, 11.0)}  # one scale for all times


def test_what_cannot_be_animated_is_refused_in_words(heat, tmp_path, monkeypatch):
    grid, u, _ = heat
    with pytest.raises(CannotAnimateError, match=r"u\.avi: an animation is a gif or mp4 file"):
        animate(tmp_path / "u.avi", "", grid, u, "u")
    with pytest.raises(CannotAnimateError, match="at several times"):
        animate(tmp_path / "u.gif", "", replace(grid, time=None), u, "u")
    solid = mesh(**{name: np.linspace(0, 1, 2) for name in "xyzt"})
    with pytest.raises(CannotAnimateError, match="one or two coordinates besides t: 3 vary"):
        animate(tmp_path / "u.gif", "", solid, solid.coordinates["x"], "u")
    monkeypatch.setattr(animation_formats, "find_spec", lambda name: None)
    with pytest.raises(CannotAnimateError, match=r'pip install "pinnkit\[animation\]", or write a gif'):
        animate(tmp_path / "u.mp4", "", grid, u, "u")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_spec("imageio_ffmpeg") is None, reason="imageio-ffmpeg is not installed")
def test_mp4_has_a_frame_for_each_time(heat, tmp_path, monkeypatch):
    import imageio_ffmpeg

    grid, u, _ = heat
    path = animate(tmp_path / "u.mp4", "", grid, u, "$u$")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-"]
    found = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(found) == len(grid.axis("t")) * 120 * 80 * 3 // 2  # in 4:2:0 a pixel has 12 bits
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: "false")
    with pytest.raises(CannotAnimateError, match="ffmpeg ended with 1: no message; write a gif"):
        animate(tmp_path / "v.mp4", "", grid, u, "$u$")
    assert not (tmp_path / "v.mp4").exists()
