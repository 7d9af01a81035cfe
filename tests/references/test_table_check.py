"""The check of a table against the conditions of its problem."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.references.table import Table

WORDS = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"heat": "u_t = 0.1*u_xx"},
    "conditions": {
        "start": {"at": "t = 0", "equations": "u = sin(pi*x)"},
        "ends": {"at": ["x = 0", "x = 1"], "equations": "u = 0"},
    },
}


def exact(x, t):
    return np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)


def table(folder, values=exact, x=(0, 1), t=(0, 1), rows=False, **words):
    x, t = np.linspace(*x, 21), np.linspace(*t, 21)
    meshes = np.meshgrid(x, t, indexing="ij")
    u = values(*meshes)
    arrays = dict(zip("xtu", (*(one.ravel() for one in meshes), u.ravel()) if rows else (x, t, u), strict=True))
    np.savez(folder / "u.npz", **arrays)
    return Table(Problem(**{**WORDS, **words}), folder / "u.npz")


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"values": lambda x, t: exact(t, x)}, "the condition 'start' at 19 of 19 points: at x = 0.5, t = 0 u is "),
        ({"values": lambda x, t: exact(x + 0.1, t)}, r"the condition 'start' at \d+ of 19 points"),
        (
            {"values": lambda x, t: -exact(x, t)},
            "the condition 'start' at 19 of 19 points: at x = 0.5, t = 0 u is -1, and 1 is prescribed",
        ),
        ({"values": lambda x, t: exact(x, t) + x * t}, "the condition 'ends' at 19 of 19 points: at x = 1, t = 0.95"),
        ({"values": lambda x, t: 0 * x}, "the condition 'start'"),
        ({"values": lambda x, t: 1e6 * exact(x, t)}, "the condition 'start'"),
        ({"x": (5, 6)}, r"its entry 1 has x = 5, outside the domain \[0, 1\]"),
        ({"t": (0, 2)}, r"its entry 12 has t = 1.1, outside the domain \[0, 1\]"),
    ],
)
def test_a_table_of_another_problem_is_refused(words, message, rows, tmp_path):
    with pytest.raises(TableError, match=rf"'u.npz' is no table of this problem: (its values violate )?{message}"):
        table(tmp_path, rows=rows, **words)


def test_the_message_has_the_residual_if_the_condition_does_not_give_the_field(tmp_path):
    conditions = {"start": {"at": "t = 0", "equations": "u^2 = sin(pi*x)^2 + 3"}}
    with pytest.raises(TableError, match=r"at x = 0\.05, t = 0 the residual is 3"):
        table(tmp_path, conditions=conditions)


def kinked(x, t):
    return np.where((t == 0) | (x == 0), 1.0, exact(x, t))


NOISE = np.random.default_rng(0).normal(0, 1e-3, (21, 21))


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"x": (0.2, 0.8), "t": (0.5, 1)},  # a part of the domain, without its edges
        {"x": (1e-8, 1 - 1e-8)},  # rounded
        {"values": lambda x, t: exact(x, t) + NOISE},  # three digits
        {"values": lambda x, t: exact(x, t) + (x == 1) * (t == 0)},  # a corner, where two conditions meet
        {"values": kinked, "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}}},
        {
            "values": kinked,
            "conditions": {
                "start": {"at": "t = 0", "where": "x > 0.4", "equations": "u = 1"},
                "flux": {"at": "x = 1", "equations": "u_x = 5"},  # a derivative, which a table does not give
                "ring": {"at": "x = 0", "equations": "u = u(x=1) + 7"},
                "late": {"at": "x = 0.5", "equations": "u = 5", "weight": "where(t < 2, 0, 1)"},
                "rows": {"data": {"x": [0.5], "t": [0.5], "u": [9.0]}},
            },
        },
    ],
)
def test_a_right_table_is_accepted(words, tmp_path):
    assert table(tmp_path, **words).fields == ("u",)


def test_a_condition_counts_where_its_weight_is_not_zero(tmp_path):
    start = {"at": "t = 0", "equations": "u = sin(pi*x) + where(x < 0.5, 1, 0)", "weight": "where(x < 0.5, 0, b)"}
    words = {"conditions": {"start": start}, "parameters": {"b": 2}}
    assert table(tmp_path, **words).warnings == []
    with pytest.raises(TableError, match="the condition 'start' at 10 of 10 points"):
        table(tmp_path, lambda x, t: exact(x, t) + 1, **words)


def test_a_small_disagreement_is_a_doubt(tmp_path):
    (told,) = table(tmp_path, lambda x, t: exact(x, t) + 0.03 * (x == 1)).warnings
    assert told == (
        "its values violate the condition 'ends' at 19 of 19 points: at x = 1, t = 0.05 u is 0.03, and 0 is prescribed"
    )
    assert table(tmp_path).warnings == []


def test_conditions_of_other_fields_and_of_learned_parameters_are_left_out(tmp_path):
    conditions = {
        "start": {"at": "t = 0", "equations": ["u = sin(pi*x)", "v = 100", "u + v = 100"]},
        "end": {"at": "x = 1", "equations": "u = a"},
    }
    words = {"fields": ["u", "v"], "parameters": {"a": {"learn": 3.0}}, "conditions": conditions}
    assert table(tmp_path, **words).fields == ("u",)
    with pytest.raises(TableError, match=r"the condition 'end' at 19 of 19 points: .* u is .*, and 3 is prescribed"):
        table(tmp_path, **words, exact={"a": "3"})


@pytest.mark.parametrize("indexing", ["ij", "xy"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_columns_of_one_shape_are_points_and_a_grid_where_they_are_a_mesh(indexing, shuffled, tmp_path):
    axes = np.linspace(0, 1, 11), np.linspace(0, 1, 6)
    x, t = np.meshgrid(*axes, indexing=indexing)
    if shuffled:
        order = np.random.default_rng(0).permutation(x.size)
        x, t = (one.ravel()[order].reshape(x.shape) for one in (x, t))
    np.savez(tmp_path / "u.npz", x=x, t=t, u=exact(x, t), other=np.ones(3))
    found = Table(Problem(**WORDS), tmp_path / "u.npz")
    assert found.grid["x"].shape == ((66,) if shuffled else (11, 6))
    np.testing.assert_array_equal(found(found.grid)["u"], exact(found.grid["x"], found.grid["t"]))
    if not shuffled:
        np.testing.assert_array_equal(found.grid["x"][:, 0], axes[0])


def test_the_message_for_wrong_shapes_has_the_right_ones(tmp_path):
    np.savez(tmp_path / "u.npz", x=np.linspace(0, 1, 11), t=np.linspace(0, 1, 6), u=np.zeros((6, 11)))
    with pytest.raises(TableError) as caught:
        Table(Problem(**WORDS), tmp_path / "u.npz")
    assert str(caught.value) == (
        "'u.npz': u has shape (6, 11), and the coordinates have x (11,), t (6,): give axes and fields of shape "
        "(11, 6), or all columns in one shape with an entry for each point"
    )
