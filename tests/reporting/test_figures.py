from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from pinnkit.reporting.figures import Grid, History, draw

NO_HISTORY = History([], [], [])


def mesh(**axes: np.ndarray) -> Grid:
    return Grid(dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True)), structured=True)


def drawn(grid: Grid, fields, references=None, residuals=None, history=NO_HISTORY, points=None, title="heat"):
    return draw(title, grid, fields, references or {}, residuals or {}, history, points or {})


def render(figures: Mapping[str, Figure]) -> None:
    """Draw to the pixels: texts that cannot be set and layouts that do not fit raise only then."""
    for figure in figures.values():
        figure.set_dpi(40)
        figure.canvas.draw()


def titles(figures: Mapping[str, Figure]) -> dict[str, str]:
    return {name: figure.get_suptitle() for name, figure in figures.items()}


def colours(axes: Axes) -> QuadMesh:
    (found,) = (item for item in axes.collections if isinstance(item, QuadMesh))
    return found


def bar_label(figure: Figure) -> str:
    return figure.axes[-1].get_ylabel() or figure.axes[-1].get_xlabel()


@pytest.fixture
def heat():
    grid = mesh(x=np.linspace(-1, 1, 9), t=np.linspace(0, 1, 6))
    x, t = grid.coordinates.values()
    u = np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)
    error = 1e-7 * np.cos(3 * x) * (1 + t)
    return grid, u, error


def test_space_and_time(heat):
    grid, u, error = heat
    figures = drawn(grid, {"u": u + error}, {"u": u}, {"heat": 5 * error})
    assert set(figures) == {
        "solution_u",
        "reference_u",
        "error_u",
        "slices_u",
        "residual_heat",
        "loss_history",
        "points",
    }
    for name, values in {"solution_u": u + error, "reference_u": u, "residual_heat": 5 * error}.items():
        axes, _ = figures[name].axes
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("$t$", "$x$")
        assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (-1, 1))
        # Rows run along x, which stands upright; columns along t.
        assert np.array_equal(colours(axes).get_array(), values)
    assert np.array_equal(colours(figures["error_u"].axes[0]).get_array(), (u + error) - u)


def test_the_titles_carry_the_figures_that_matter(heat):
    grid, u, error = heat
    text = titles(drawn(grid, {"u": u + error}, {"u": u}, {"heat": 5 * error}, title="heat $ bar"))
    relative = np.linalg.norm(error) / np.linalg.norm(u)
    assert text["solution_u"] == rf"heat \$ bar: $u$, relative $L^2$ error {relative:.1e}"
    assert text["error_u"] == rf"heat \$ bar: error of $u$, at most {np.abs(error).max():.1e}"
    assert text["residual_heat"] == rf"heat \$ bar: residual of heat, RMS {5 * np.sqrt((error**2).mean()):.1e}"
    assert titles(drawn(grid, {"u": u}, {"u": u}, title=""))["solution_u"] == "$u$, relative $L^2$ error 0"


def test_signed_colours_are_symmetric_and_solutions_share_theirs(heat):
    grid, u, error = heat
    figures = drawn(grid, {"u": u + error}, {"u": u}, {"heat": 5 * error})
    for name, largest in {
        "error_u": np.abs((u + error) - u).max(),
        "residual_heat": 5 * np.abs(error).max(),
    }.items():
        painted = colours(figures[name].axes[0])
        assert (painted.norm.vmin, painted.norm.vmax) == (-largest, largest)
        assert painted.cmap.name == "RdBu_r"
        assert figures[name].axes[1].get_ylim() == (-largest, largest)
    for name in ("solution_u", "reference_u"):
        painted = colours(figures[name].axes[0])
        assert (painted.norm.vmin, painted.norm.vmax) == (u.min(), u.max())
        assert painted.cmap.name == "viridis"
        assert figures[name].axes[1].get_ylabel() == "$u$"


def test_a_solution_beyond_the_reference_is_marked_on_the_colour_bar(heat):
    grid, u, _ = heat
    values = u.copy()
    values[3, 3] = 7.0
    bars = drawn(grid, {"u": values}, {"u": u})["solution_u"].axes[1]._colorbar
    assert bars.extend == "max"
    assert drawn(grid, {"u": u}, {"u": u})["solution_u"].axes[1]._colorbar.extend == "neither"


def test_the_order_of_coordinates_does_not_change_the_picture(heat):
    grid, u, _ = heat
    turned = mesh(t=grid.axis("t"), x=grid.axis("x"))
    axes, _ = drawn(turned, {"u": u.T})["solution_u"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$t$", "$x$")
    assert np.array_equal(colours(axes).get_array(), u)


@pytest.mark.parametrize("turned", [False, True])
def test_slices_lie_over_their_references(heat, turned):
    grid, u, error = heat
    x, t = grid.axis("x"), grid.axis("t")
    if turned:
        grid, u, error = mesh(t=t, x=x), u.T, error.T
    (axes,) = drawn(grid, {"u": u + error}, {"u": u})["slices_u"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x$", "$u$")
    shown = [0, 1, 2, 4, 5]  # five of the six times, first and last among them
    rows = (u + error if turned else (u + error).T)[shown]
    references = (u if turned else u.T)[shown]
    assert len(axes.lines) == 10
    for line, row in zip(axes.lines, [*rows, *references], strict=True):
        assert np.array_equal(line.get_ydata(), row)
        assert np.array_equal(line.get_xdata(), x)
    labels = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert labels == [f"$t$ = {t[index]:.3g}" for index in shown] + ["reference"]
    assert all(line.is_dashed() for line in axes.lines[5:])
    assert not any(line.is_dashed() for line in axes.lines[:5])


def test_without_a_reference_there_is_neither_error_nor_reference(heat):
    grid, u, _ = heat
    figures = drawn(grid, {"u": u, "v": -u}, {"v": u})
    assert {"solution_u", "slices_u"} <= set(figures)
    assert not {"reference_u", "error_u"} & set(figures)
    assert {"reference_v", "error_v"} <= set(figures)
    assert figures["solution_u"].get_suptitle() == "heat: $u$"
    assert len(figures["slices_u"].axes[0].lines) == 5


def test_a_plane_is_drawn_to_scale():
    grid = mesh(x=np.linspace(0, 2, 7), y=np.linspace(0, 1, 4))
    x, y = grid.coordinates.values()
    figures = drawn(grid, {"u": x + 10 * y}, {"u": x + 10 * y + 1e-7})
    assert "slices_u" not in figures
    for name, values in {"solution_u": x + 10 * y, "reference_u": x + 10 * y + 1e-7}.items():
        axes = figures[name].axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_aspect()) == ("$x$", "$y$", 1.0)
        assert np.array_equal(colours(axes).get_array(), values.T)
    assert bar_label(figures["error_u"]) == "error of $u$"


def test_a_long_channel_is_not_drawn_to_scale():
    grid = mesh(x=np.linspace(0, 20, 7), y=np.linspace(0, 1, 4))
    axes = drawn(grid, {"u": grid.coordinates["x"]})["solution_u"].axes[0]
    assert axes.get_aspect() == "auto"


def test_points_outside_the_domain_are_left_out():
    grid = mesh(x=np.linspace(-1, 1, 9), y=np.linspace(-1, 1, 9))
    x, y = grid.coordinates.values()
    outside = x**2 + y**2 > 1
    u = np.where(outside, np.nan, 1.0)
    figures = drawn(grid, {"u": 1.01 * u}, {"u": u}, {"laplace": np.where(outside, 100.0, 0.5)})
    assert titles(figures)["solution_u"].endswith("error 1.0e-02")
    assert titles(figures)["residual_laplace"].endswith("RMS 5.0e-01")
    for name in ("solution_u", "error_u", "residual_laplace"):
        assert np.array_equal(np.ma.getmaskarray(colours(figures[name].axes[0]).get_array()), outside.T)


def test_a_prediction_that_is_nan_within_the_domain_is_not_hidden():
    grid = mesh(x=np.linspace(0, 1, 3), y=np.linspace(0, 1, 3))
    u = np.ones((3, 3))
    broken = u.copy()
    broken[1, 1] = np.nan
    text = titles(drawn(grid, {"u": broken}, {"u": u}, {"e": np.full((3, 3), np.nan)}))
    assert text["solution_u"].endswith("error nan")
    assert text["error_u"].endswith("at most nan")
    assert text["residual_e"].endswith("RMS nan")
    figures = drawn(grid, {"u": np.full((3, 3), np.nan)}, {}, {"e": np.full((3, 3), np.nan)})
    render({name: figures[name] for name in ("solution_u", "residual_e")})
    assert titles(figures)["residual_e"].endswith("RMS nan")
    assert [text.get_text() for text in figures["solution_u"].axes[0].texts] == ["no finite value"]


@pytest.mark.parametrize("wrong", [np.nan, -np.inf])
def test_points_where_the_reference_is_not_finite_are_left_out(wrong):
    grid = mesh(x=np.linspace(-1, 1, 9), y=np.linspace(-1, 1, 9))
    u = np.ones((9, 9))
    reference = u.copy()
    reference[4, 4] = wrong
    figures = drawn(grid, {"u": 1.01 * u}, {"u": reference})
    render(figures)
    assert titles(figures)["solution_u"].endswith("error 1.0e-02")
    assert titles(figures)["error_u"].endswith("at most 1.0e-02")


@pytest.mark.parametrize(
    ("names", "structured"),
    [("t", True), ("xt", True), ("xy", True), ("xyt", True), ("xyz", True), ("xy", False), ("xyzt", False)],
)
def test_every_case_renders(names, structured):
    grid = mesh(**{name: np.linspace(0, 1, 4) for name in names})
    if not structured:
        grid = Grid({name: values.ravel() for name, values in grid.coordinates.items()}, structured=False)
    u = 1 + sum(grid.coordinates.values())
    points = {"mass_$": {name: np.linspace(0, 1, 3) for name in names}}
    figures = drawn(grid, {"T_wall": u + 1e-7}, {"T_wall": u}, {"a $ b $": 0 * u}, points=points, title="$_{")
    repeated = {"reference_T_wall", "residual_a___b__"} | ({"loss_history"} if names != "xt" else set())
    figures = {name: figure for name, figure in figures.items() if name not in repeated or names == "t"}
    render(figures)
    for name, figure in figures.items():
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10, name


def test_infinite_values_draw(heat):
    grid, u, _ = heat
    broken = u.copy()
    broken[2, 2] = np.inf
    figures = drawn(grid, {"u": broken}, {"u": u}, {"heat": broken})
    render({name: figures[name] for name in ("solution_u", "residual_heat")})
    assert figures["solution_u"].get_suptitle().endswith("error inf")


def test_snapshots_in_time():
    grid = mesh(x=np.linspace(-1, 1, 5), t=np.linspace(0, 1, 7), y=np.linspace(-2, 2, 6))
    x, t, y = grid.coordinates.values()
    u = x + 10 * y + 100 * t
    figures = drawn(grid, {"u": u + 0.5}, {"u": u}, {"ns": x})
    *panels, bar = figures["solution_u"].axes
    assert [axes.get_title() for axes in panels] == [f"$t$ = {value}" for value in ("0", "0.333", "0.667", "1")]
    for axes, index in zip(panels, (0, 2, 4, 6), strict=True):
        assert np.array_equal(colours(axes).get_array(), (u + 0.5)[:, index, :].T)
        assert (axes.get_xlim(), axes.get_ylim(), axes.get_aspect()) == ((-1, 1), (-2, 2), 1.0)
        painted = colours(axes)
        assert (painted.norm.vmin, painted.norm.vmax) == (u.min(), u.max())
    assert (panels[0].get_xlabel(), panels[0].get_ylabel(), bar.get_ylabel()) == ("$x$", "$y$", "$u$")
    comparison = figures["slices_u"].axes
    assert len(comparison) == 3 * 4 + 3
    assert np.array_equal(colours(comparison[4 + 1]).get_array(), u[:, 2, :].T)
    assert np.array_equal(colours(comparison[8 + 3]).get_array(), ((u + 0.5) - u)[:, 6, :].T)
    assert [axes.get_ylabel() for axes in comparison[12:]] == ["$u$", "reference", "error"]
    assert len(figures["residual_ns"].axes) == 5
    assert "slices_u" not in drawn(grid, {"u": u})


def test_middle_planes_of_a_solid():
    grid = mesh(x=np.linspace(0, 1, 5), y=np.linspace(0, 2, 7), z=np.linspace(0, 3, 9))
    x, y, z = grid.coordinates.values()
    u = x + 10 * y + 100 * z
    *panels, _ = drawn(grid, {"u": u})["solution_u"].axes
    expected = [("$x$", "$y$", u[:, :, 4], "$z$ = 1.5"), ("$x$", "$z$", u[:, 3, :], "$y$ = 1")]
    expected += [("$y$", "$z$", u[2, :, :], "$x$ = 0.5")]
    for axes, (horizontal, vertical, values, title) in zip(panels, expected, strict=True):
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == (horizontal, vertical, title)
        assert np.array_equal(colours(axes).get_array(), values.T)


def test_curves_and_the_phase_portrait_of_a_system():
    grid = mesh(t=np.linspace(0, 10, 50))
    t = grid.axis("t")
    u, v = np.cos(t), -np.sin(t)
    figures = drawn(grid, {"u": u + 1e-7, "v": v}, {"u": u, "v": v}, {"velocity": 1e-6 * u})
    (axes,) = figures["solution_u"].axes
    network, reference = axes.lines
    assert np.array_equal(network.get_ydata(), u + 1e-7)
    assert np.array_equal(reference.get_ydata(), u)
    assert reference.is_dashed()
    assert to_hex(reference.get_color()) == "#000000"
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xlim()) == ("$t$", "$u$", (0, 10))
    (axes,) = figures["error_u"].axes
    low, high = axes.get_ylim()
    assert low == -high
    assert high >= np.abs((u + 1e-7) - u).max()
    assert np.array_equal(axes.lines[0].get_ydata(), (u + 1e-7) - u)
    (axes,) = figures["phase_portrait"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$u$", "$v$")
    assert np.array_equal(axes.lines[0].get_xdata(), u + 1e-7)
    assert np.array_equal(axes.lines[0].get_ydata(), v)
    assert "phase_portrait" not in drawn(grid, {"u": u})
    assert "phase_portrait" not in drawn(grid, {"u": u, "v": v, "w": u})


def test_scattered_points_on_a_line_are_joined_in_order():
    x = np.array([0.5, 0.1, 0.9])
    (axes,) = drawn(Grid({"x": x}, structured=False), {"u": 2 * x})["solution_u"].axes
    assert axes.lines[0].get_xdata().tolist() == [0.1, 0.5, 0.9]
    assert axes.lines[0].get_ydata().tolist() == [0.2, 1.0, 1.8]


def test_scattered_points_in_a_plane_are_coloured_dots():
    generator = np.random.default_rng(0)
    x, y = generator.uniform(-1, 1, (2, 40))
    figures = drawn(Grid({"x": x, "y": y}, structured=False), {"u": x * y + 1e-3}, {"u": x * y})
    (dots,) = figures["solution_u"].axes[0].collections
    assert np.array_equal(dots.get_array(), x * y + 1e-3)
    assert np.array_equal(dots.get_offsets(), np.column_stack([x, y]))
    assert {"reference_u", "error_u"} <= set(figures)


@pytest.mark.parametrize("structured", [False, True])
def test_many_coordinates_are_compared_point_by_point(structured):
    generator = np.random.default_rng(0)
    if structured:
        grid = mesh(**{f"x{i}": np.linspace(0, 1, 3) for i in range(4)})
    else:
        grid = Grid({f"x{i}": generator.uniform(0, 1, 50) for i in range(10)}, structured=False)
    u = sum(values**2 for values in grid.coordinates.values())
    noise = 1e-2 * generator.standard_normal(u.shape)
    figures = drawn(grid, {"u": u + noise}, {"u": u}, {"poisson": noise})
    assert set(figures) == {"solution_u", "error_u", "residual_poisson", "loss_history", "points"}
    (axes,) = figures["solution_u"].axes
    assert np.array_equal(axes.lines[0].get_xdata(), u.ravel())
    assert np.array_equal(axes.lines[0].get_ydata(), (u + noise).ravel())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$u$, reference", "$u$, network")
    for name in ("error_u", "residual_poisson"):
        (axes,) = figures[name].axes
        assert axes.get_xlim()[0] == -axes.get_xlim()[1]
        assert sum(bar.get_height() for bar in axes.patches) == u.size
    (axes,) = drawn(grid, {"u": u})["solution_u"].axes
    assert sum(bar.get_height() for bar in axes.patches) == u.size


@pytest.mark.parametrize("count", [1, 2, 3])
def test_single_points_and_constants_draw(count):
    grid = mesh(**{name: np.zeros(1) for name in "xyt"[:count]})
    constant = np.full([1] * count, 3.0)
    figures = drawn(grid, {"u": constant}, {"u": constant}, {"e": 0 * constant})
    render({name: figures[name] for name in ("solution_u", "error_u", "points")})
    assert figures["solution_u"].get_suptitle().endswith("error 0")


def test_names_become_safe_and_distinct_file_names(heat):
    grid, u, _ = heat
    residuals = {"mass balance": u, "mass_balance": u, "../up": u, "Mass_Balance": u}
    figures = drawn(grid, {"u": u, "U": u}, residuals=residuals)
    assert set(figures) == {
        "solution_u",
        "slices_u",
        "solution_U_2",
        "slices_U_2",
        "residual_mass_balance",
        "residual_mass_balance_2",
        "residual_.._up",
        "residual_Mass_Balance_3",
        "loss_history",
        "points",
    }


def test_neither_torch_nor_pyplot_is_imported():
    code = "import sys, pinnkit.reporting.figures, pinnkit.reporting.summary, pinnkit.reporting.export.csv\n"
    code += "print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_mistakes_are_named(heat):
    grid, u, _ = heat
    with pytest.raises(ValueError, match=r"'u' has shape \(6, 9\); expected the grid's shape \(9, 6\)"):
        drawn(grid, {"u": u.T})
    with pytest.raises(ValueError, match="'heat \\(residual\\)' has shape"):
        drawn(grid, {"u": u}, residuals={"heat": u[0]})
    with pytest.raises(ValueError, match="reference 'v' has no field; the fields are u"):
        drawn(grid, {"u": u}, {"v": u})
    with pytest.raises(ValueError, match=r"points\['ends'\] has x; 't' is missing"):
        drawn(grid, {"u": u}, points={"ends": {"x": np.ones(3)}})


def test_drawing_leaves_the_settings_of_matplotlib_alone(heat):
    before = dict(matplotlib.rcParams)
    grid, u, _ = heat
    drawn(grid, {"u": u}, {"u": u})
    assert dict(matplotlib.rcParams) == before
