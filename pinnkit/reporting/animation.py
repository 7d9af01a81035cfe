"""Animations of fields in time, as GIF or MP4."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkit.reporting.animation_formats import CannotAnimateError, check_format
from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.curves import finish_curve
from pinnkit.reporting.field_maps import View, orient, paint_view, plane_size
from pinnkit.reporting.figure_style import COLOURS, REFERENCE, add_colour_bar, new_figure, shape_of
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.labels import plain_text
from pinnkit.reporting.scales import Scale, solution_scale

FRAMES_PER_SECOND = 15
PIXELS = 640
"""The width of an animation."""
COLOURS_OF_GIF = 128
ALMOST_WHITE = 248


def animate(
    path: Path,
    title: str,
    grid: Grid,
    values: np.ndarray,
    label: str,
    reference: np.ndarray | None = None,
    scale: Scale | None = None,
    frames_per_second: int = FRAMES_PER_SECOND,
) -> Path:
    """Write a field over time: a curve, with its reference dashed, or a map; its axes and colours stay as they are.

    Args:
        path: the .gif or .mp4 file.
        grid: structured, over time and one or two further coordinates; each value of time is a frame. Coordinates
            with a single value are named in the title.
        values, reference: of the grid's shape, real.
        label: what the values are, such as `$u$ (K)`.
        scale: the colours of a map; by default those of a solution.

    Raises:
        CannotAnimateError: another format, no encoder, no time, or another number of coordinates.
        ValueError: an array of another shape than the grid's.
    """
    path = Path(path)
    check_format(path)
    values = grid.checked("values", values)
    reference = None if reference is None else grid.checked("reference", reference)
    if not grid.structured or grid.time is None or len(grid.axis(grid.time)) < 2:
        raise CannotAnimateError("an animation needs values on a grid at several times")
    varying = tuple(name for name in grid.names if name != grid.time and len(grid.axis(name)) > 1)
    if len(varying) not in (1, 2):
        raise CannotAnimateError(
            f"an animation is over one or two coordinates besides {grid.time}: {len(varying)} vary"
        )
    draw = _curve if len(varying) == 1 else _map
    caption = f"{plain_text(title)}: {label}" if title else label
    frames = draw(caption, grid, varying, values, label, reference, scale or solution_scale(values, reference))
    write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
    with atomic(path) as temporary:
        write(temporary, frames, frames_per_second)
    return path


def _fixed(grid: Grid, varying: tuple[str, ...]) -> str:
    """The coordinates with a single value, for the title."""
    others = [name for name in grid.names if name != grid.time and name not in varying]
    return "".join(f", {grid.quantity(name, grid.axis(name)[0])}" for name in others)


def _curve(
    caption: str,
    grid: Grid,
    varying: tuple[str, ...],
    values: np.ndarray,
    label: str,
    reference: np.ndarray | None,
    scale: Scale,
) -> Iterator[np.ndarray]:
    (name,) = varying
    x = grid.axis(name)
    rows = [_by_time(grid, one).reshape(-1, len(x)) for one in (values, reference) if one is not None]
    low, high = (float(f(one[np.isfinite(one)])) for one, f in ((rows[-1], np.min), (rows[-1], np.max)))
    margin = 0.06 * (high - low or abs(high) or 1.0)
    with new_figure(7.2, 4.8, caption + _fixed(grid, varying)) as figure:
        axes = figure.subplots()
        lines = [axes.plot(x, rows[0][0], color=COLOURS[0], linewidth=3.0, label="network")[0]]
        if reference is not None:
            lines += axes.plot(x, rows[1][0], label="reference", **REFERENCE)
            figure.legend(loc="outside lower center", ncols=2, frameon=False)
        finish_curve(axes, grid, name, label, x)
        axes.set_ylim(low - margin, high + margin)

        def show(frame: int) -> None:
            for line, row in zip(lines, rows, strict=True):
                line.set_ydata(row[frame])

        yield from _frames(figure, axes, grid, show)


def _map(
    caption: str,
    grid: Grid,
    varying: tuple[str, ...],
    values: np.ndarray,
    label: str,
    reference: np.ndarray | None,
    scale: Scale,
) -> Iterator[np.ndarray]:
    horizontal, vertical = orient(grid, varying)
    ratio = shape_of(grid.axis(horizontal), grid.axis(vertical))[0] if grid.to_scale(*varying) else 1.4
    at = {name: 0 for name in grid.names if name not in varying}
    with new_figure(*plane_size(ratio), caption + _fixed(grid, varying)) as figure:
        axes = figure.subplots()
        paint_view(axes, grid, values, View(horizontal, vertical, at), scale)
        add_colour_bar(figure, [axes], scale, label, horizontal=ratio > 1.6)

        def show(frame: int) -> None:
            axes.clear()
            paint_view(axes, grid, values, View(horizontal, vertical, at | {cast(str, grid.time): frame}), scale)

        yield from _frames(figure, axes, grid, show)


def _by_time(grid: Grid, values: np.ndarray) -> np.ndarray:
    return np.moveaxis(values, grid.names.index(grid.time), 0)


def _frames(figure: Figure, axes: Axes, grid: Grid, show: Callable[[int], None]) -> Iterator[np.ndarray]:
    """The pixels (height, width, 3) of each frame; the layout is that of the first, so that nothing moves about."""
    figure.set_dpi(PIXELS / figure.get_figwidth())
    name = cast(str, grid.time)
    times = grid.axis(name)
    for frame, time in enumerate(times):
        show(frame)
        axes.set_title(grid.quantity(name, time), loc="left")
        figure.canvas.draw()
        if frame == 0:
            figure.set_layout_engine("none")
        pixels = np.asarray(cast(Any, figure.canvas).buffer_rgba())[..., :3]
        height, width = (size // 2 * 2 for size in pixels.shape[:2])  # MP4 takes even sizes
        yield pixels[:height, :width].copy()


def _write_gif(path: Path, frames: Iterator[np.ndarray], frames_per_second: int) -> None:
    """One palette for all frames, so that colours do not flicker."""
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    # The palette is taken from the first, the middle and the last frame together.
    chosen = [np.asarray(images[place]) for place in (0, len(images) // 2, -1)]
    palette = Image.fromarray(np.concatenate(chosen)).quantize(COLOURS_OF_GIF, dither=Image.Dither.NONE)
    entries: np.ndarray = np.reshape(cast(Any, palette.getpalette()), (-1, 3))
    entries[entries.min(axis=1) >= ALMOST_WHITE] = 255  # pillow looks colours up in boxes of 4: white must be white
    palette.putpalette(entries.ravel().tolist())
    first, *rest = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    duration = round(1000 / frames_per_second)
    first.save(path, "GIF", save_all=True, append_images=rest, duration=duration, loop=0, optimize=False)


def _write_mp4(path: Path, frames: Iterator[np.ndarray], frames_per_second: int) -> None:
    """H.264 in 4:2:0, which every player and slide program reads."""
    import imageio_ffmpeg

    first = next(frames)
    read = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{first.shape[1]}x{first.shape[0]}"]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-y",
        "-loglevel",
        "error",
        *read,
        "-r",
        str(frames_per_second),
        "-i",
        "-",
    ]
    written = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "faststart", "-f", "mp4", str(path)]
    pixels = b"".join(frame.tobytes() for frame in itertools.chain([first], frames))
    done = subprocess.run([*command, *written], input=pixels, capture_output=True, check=False)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise CannotAnimateError(f"ffmpeg ended with {done.returncode}: {message[0]}; write a gif")
