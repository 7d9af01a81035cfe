"""What a solution gives: fields, derivatives, residuals, errors, figures and datasets, by closed forms."""

from pathlib import Path

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.runs.pinn import PINN

SMALL = {"network": {"width": 6, "depth": 1}}
TWO = {"x": [-1, 1], "t": [0, 1]}


def solution(settings=None, **words):
    """The untrained solution of a problem, whose fields are those that its network has at the start."""
    return PINN(pinnkit.Problem(**words), {**SMALL, **(settings or {})}).solution()


class Known(torch.nn.Module):
    """u = a x^2 t: a network whose derivatives are known."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, points):
        x, t = points.split(1, dim=1)
        return self.a * x**2 * t


@pytest.fixture(scope="module")
def known():
    problem = pinnkit.Problem(
        coordinates=TWO,
        fields=["u"],
        parameters={"k": {"learn": 0.5}},
        define={"twice": "2*k"},
        equations={"heat": "u_t = k*u_xx + 3*x^2 - 3*t"},
        conditions={"start": {"at": "t = 0", "equations": "u = 0"}},
        exact={"u": "3*x^2*t", "k": 0.5},
    )
    return PINN(problem, network=Known()).solution()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("u", lambda x, t: 1.5 * x**2 * t),
        ("u_x", lambda x, t: 3 * x * t),
        ("u_xxt", lambda x, t: 3 + 0 * x * t),
        ("laplacian(u) - k*u_t", lambda x, t: 3 * t - 0.75 * x**2),
        ("diff(x*u^2, x)", lambda x, t: 5 * 2.25 * x**4 * t**2),
        ("twice*u(x=1)", lambda x, t: 1.5 * t + 0 * x),
        ("integral(u, x)", lambda x, t: t + 0 * x),
        ("x*t", lambda x, t: x * t),
    ],
)
def test_any_expression_of_the_language_is_evaluated(known, expression, value):
    x, t = np.linspace(-1, 1, 5)[:, None], np.array([0.25, 0.5, 1.0])
    found = known.derivative(expression)(x=x, t=t)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, value(x, t), rtol=1e-13, atol=1e-13)
    assert found.shape == (5, 3)


def test_points_may_be_numbers_lists_arrays_and_tensors_of_any_shape(known):
    slope = known.derivative("u_x")
    assert slope(x=0.5, t=1).shape == ()
    assert float(slope(x=0.5, t=1)) == 1.5
    assert slope(x=[], t=0.3).shape == (0,)
    tensor = torch.linspace(-1, 1, 6, dtype=torch.float32, requires_grad=True).reshape(2, 3)
    found = known(x=tensor, t=np.float32(0.5))["u"]
    np.testing.assert_allclose(found, 0.75 * tensor.detach().numpy() ** 2, rtol=1e-6)
    with torch.no_grad():
        assert known.residual("heat")(x=[0.5], t=[[1.0]]).item() == pytest.approx(1.125, rel=1e-14)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"x": 0.0}, "x, t are needed"),
        ({"x": [0.0, 0.1], "t": [0, 0.1, 0.2]}, r"the shapes of x \(2,\), t \(3,\) do not broadcast to one"),
        ({"x": "left", "t": 0}, "x is no array of real numbers"),
        ({"x": 1j, "t": 0}, "x is no array of real numbers: complex numbers"),
    ],
)
def test_points_that_are_none_are_refused(known, points, message):
    for function in (known, known.derivative("u_x"), known.residual("heat")):
        with pytest.raises(ValueError, match=message):
            function(**points)


def test_a_warning_of_extrapolation_names_the_line_that_asked_for_it(known):
    for function in (known, known.derivative("u_x"), known.residual()):
        with pytest.warns(UserWarning, match=r"x = 3 lies outside \[-1, 1\]") as caught:
            function(x=3, t=0.5)
        assert [one.filename for one in caught] == [__file__]


def test_what_is_no_expression_is_answered_with_its_place(known):
    with pytest.raises(pinnkit.ProblemError, match="there is no coordinate y") as caught:
        known.derivative("u_x + u_y")
    assert caught.value.mistakes[0].key == "expression"
    with pytest.raises(pinnkit.ProblemError, match="outward normal"):
        known.derivative("u_n")
    with pytest.raises(ValueError, match="there is no equation 'wave'; the equations are: heat"):
        known.residual("wave")


def test_errors_are_those_of_the_reference(known):
    error = known.error(11)["u"]
    assert error["relative_l2"] == pytest.approx(0.5, rel=1e-13)
    assert error["max_error"] == pytest.approx(1.5, rel=1e-13)
    assert known.learned == {"k": 0.5, "twice": 1.0}
    bare = solution(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = u",
                    conditions={"start": {"at": "t = 0", "equations": "u = 1"}})  # fmt: skip
    with pytest.raises(ValueError, match="there is no reference, so that no error can be measured"):
        bare.error()


def test_a_complex_field_has_complex_derivatives_and_residuals():
    found = solution(coordinates=TWO, fields={"h": "complex"}, equations={"nls": "i*h_t + h_xx = 0"},
                     conditions={"start": {"at": "t = 0", "equations": "h = exp(i*x)"}})  # fmt: skip
    x, t = np.linspace(-1, 1, 7), 0.3
    slopes = found.derivative("h_t")(x=x, t=t), found.derivative("h_xx")(x=x, t=t)
    assert slopes[0].dtype == np.complex128
    np.testing.assert_allclose(found.residual("nls")(x=x, t=t), 1j * slopes[0] + slopes[1], rtol=1e-12, atol=1e-13)
    assert list(found.residual()(x=x, t=t)) == ["nls"]
    np.testing.assert_array_equal(found.residual("nls_re")(x=x, t=t), found.residual("nls")(x=x, t=t).real)
    modulus = found.derivative("abs(h)^2")(x=x, t=t)
    assert modulus.dtype == np.float64
    np.testing.assert_allclose(modulus, np.abs(found(x=x, t=t)["h"]) ** 2, rtol=1e-13)


def test_a_field_with_parts_has_the_derivative_of_the_part_in_which_a_point_lies():
    found = solution(
        coordinates={"x": [-1, 1], "y": [0, 1]},
        shapes={"left": {"level_set": "x"}, "right": {"level_set": "-x"}},
        fields={"u": {"parts": ["left", "right"]}},
        equations={"flow": "u_xx + u_yy = 0"},
        conditions={
            "rim": {"at": "box", "equations": "u = x"},
            "contact": {"at": "left", "equations": ["u.left = u.right", "u.left_n = u.right_n"]},
        },
    )
    x, y = np.array([-0.5, 0.5]), 0.25
    whole, left, right = (found.derivative(f"u{part}_x")(x=x, y=y) for part in ("", ".left", ".right"))
    assert whole.tolist() == [left[0], right[1]]
    assert left[1] != right[1]
    np.testing.assert_allclose(found.residual("flow")(x=x, y=y), found.derivative("laplacian(u)")(x=x, y=y), rtol=1e-12)


def test_tables_have_their_values_and_slopes(tmp_path):
    rows = "\n".join(f"{x},{x**2}" for x in np.linspace(0, 1, 41))
    (tmp_path / "source.csv").write_text(f"x,q\n{rows}\n")
    found = solution(
        folder=tmp_path, coordinates={"x": [0, 1]}, fields=["u"], equations={"poisson": "u_xx = q"},
        tables={"q": {"file": "source.csv", "columns": ["x"], "value": "q", "smooth": "cubic"}},
        conditions={"ends": {"at": "boundary", "equations": "u = 0", "hard": True}},
    )  # fmt: skip
    x = np.linspace(0, 1, 5)
    np.testing.assert_allclose(found.derivative("q_x + q")(x=x), 2 * x + x**2, atol=1e-10)
    np.testing.assert_allclose(found.residual("poisson")(x=x), found.derivative("u_xx")(x=x) - x**2, atol=1e-12)


def test_figures_are_asked_for_by_their_names(known):
    figure = known.plot(points=11)
    assert "u" in figure.axes[0].get_title() + str(figure.get_suptitle())
    assert known.plot("u", points=11).get_size_inches().tolist() == figure.get_size_inches().tolist()
    for name in ("error_u", "reference_u", "slices_u", "residual_heat"):
        assert known.plot(name, points=11).axes
    with pytest.raises(ValueError, match="there is no figure 'eror_u'; did you mean 'error_u'"):
        known.plot("eror_u", points=11)


def test_a_dataset_has_labelled_axes():
    xarray = pytest.importorskip("xarray")
    found = solution(
        coordinates={"x": [-1, 1], "y": [-1, 1]}, shapes={"plate": {"disk": {"center": [0, 0], "radius": 1}}},
        domain="plate", fields=["u"], equations={"poisson": "laplacian(u) = 4"}, exact={"u": "x^2 + y^2"},
        conditions={"rim": {"at": "boundary", "equations": "u = 1"}}, description="A disk.",
    )  # fmt: skip
    data = found.to_xarray(5, reference=True)
    assert isinstance(data, xarray.Dataset)
    assert data.u.dims == ("x", "y")
    assert int(np.isnan(data.u).sum()) == 12  # the corners lie outside the disk
    np.testing.assert_allclose(data.u_reference.sel(x=0.5, y=[0, 0.5]), [0.25, 0.5])
    assert float(data.u.sel(x=0.5, y=0)) == found(x=0.5, y=0)["u"]
    assert data.attrs["equations"] == "poisson: laplacian(u) = 4"
    line = found.to_xarray(y=0, x=np.linspace(-0.5, 0.5, 3))
    assert line.u.shape == (3, 1)
    np.testing.assert_array_equal(line.u.squeeze(), found(x=[-0.5, 0, 0.5], y=0)["u"])
    with pytest.raises(ValueError, match="there is no coordinate z; coordinates are x, y"):
        found.to_xarray(z=1)
    with pytest.raises(ValueError, match=r"x has shape \(0,\)"):
        found.to_xarray(x=[])


def test_scattered_points_have_one_dimension():
    pytest.importorskip("xarray")
    names = ["a", "b", "c", "d"]
    found = solution(coordinates={name: [0, 1] for name in names}, fields=["u"], equations="laplacian(u) = 1",
                     conditions={"rim": {"at": "boundary", "equations": "u = 0"}})  # fmt: skip
    data = found.to_xarray()
    assert data.u.dims == ("point",)
    assert set(data.coords) == set(names)
    assert found.to_xarray(a=0.5, b=0.5, c=0.5, points=3).u.shape == (1, 1, 1, 3)


def test_a_solution_is_shown_with_what_came_out(known):
    assert repr(known) == "Solution(problem: trained)"
    metrics = {
        "verdict": "solved", "verdict_text": "It fits.", "steps": 7, "train_time_s": 1.25, "reference": "exact",
        "relative_l2": {"u": 1.5e-6}, "max_error": {"u": 2e-6}, "residual_rms": {"heat": 3e-5},
        "learned": {"k": {"value": 0.25, "exact": 0.5}},
    }  # fmt: skip
    ended = pinnkit.Solution("finished", metrics, Path("out"), known.module, known.settings)
    assert repr(ended) == (
        "Solution(problem: finished, verdict solved, 7 steps, relative L2 error of u 1.50e-06, folder out)"
    )
    assert ended.verdict == "solved"
    shown = ended._repr_markdown_()
    assert shown.startswith(known.problem._repr_markdown_())
    for row in (
        "| verdict | **solved** |",
        "| error of u | 1.50e-06 relative $L^2$, at most 2.00e-06 (against: exact) |",
        "| residual of heat | 3.00e-05 RMS |",
        "| learned k | 0.25, exact 0.5 |",
        "| training | 7 steps, 1.2 s |",
    ):
        assert f"\n{row}\n" in shown
    assert shown.endswith("\n\nIt fits.")
    assert ended._repr_latex_() == known.problem._repr_latex_()
