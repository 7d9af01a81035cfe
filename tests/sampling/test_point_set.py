"""Point sets: what belongs to a point goes along with it."""

import numpy as np
import pytest
import torch

from pinnkit.sampling.point_set import PointSet


def numbered(count=6, **other):
    """Points whose every array tells which point it belongs to."""
    i = np.arange(count, dtype=float)[:, None]
    arrays = {"columns": {"s": i + 0.25, "c": -i}, "normals": np.hstack([i, i, -i]), "weights": i + 1}
    return PointSet(np.hstack([i, 10 * i, 100 * i]), **(arrays | other))


def assert_belong_together(points):
    i = points.coordinates[:, :1]
    for name, expected in {"columns.s": i + 0.25, "columns.c": -i, "weights": i + 1}.items():
        np.testing.assert_array_equal(points.arrays()[name], expected)
    np.testing.assert_array_equal(points.normals, i * [1, 1, -1])


@pytest.mark.parametrize("index", [np.array([4, 0, 4]), slice(1, 4), slice(4, 99)])
def test_everything_of_a_point_is_taken_with_it(index):
    whole = numbered()
    for some in (whole.take(index), whole.part(index)):
        assert_belong_together(some)
        np.testing.assert_array_equal(some.coordinates, whole.coordinates[index])
    assert whole.take(index).shares is None
    np.testing.assert_array_equal(whole.part(index).shares, np.full((len(some), 1), 1 / 6))


def test_a_part_keeps_its_shares_and_a_group_of_its_own_has_none():
    shares = np.arange(6.0)[:, None]
    part = numbered(shares=shares).part(np.array([5, 2]))
    np.testing.assert_array_equal(part.shares, [[5.0], [2.0]])
    np.testing.assert_array_equal(part.part(slice(1, 2)).shares, [[2.0]])
    assert part.take(slice(0, 1)).shares is None


def test_points_that_fill_up_a_shape_have_the_share_zero():
    part = numbered(3).part(np.arange(5) % 3, np.arange(5) < 3)
    assert_belong_together(part)
    np.testing.assert_array_equal(part.shares, np.array([[1], [1], [1], [0], [0]]) / 3)


def test_the_factor_of_a_point_is_its_share_times_its_weight():
    points = numbered(4)
    np.testing.assert_array_equal(points.factors(), np.array([[1], [2], [3], [4]]) / 4)
    np.testing.assert_array_equal(points.part(slice(2, 4)).factors(), np.array([[3], [4]]) / 4)
    np.testing.assert_array_equal(points.take(slice(2, 4)).factors(), np.array([[3], [4]]) / 2)
    np.testing.assert_array_equal(PointSet(np.zeros((5, 2))).factors(), np.full((5, 1), 1 / 5))


def test_sets_follow_one_another_with_all_that_they_have():
    whole = numbered()
    both = PointSet.concatenated([whole.take(slice(3, 6)), whole.take(slice(0, 2))])
    np.testing.assert_array_equal(both.coordinates[:, 0], [3, 4, 5, 0, 1])
    assert_belong_together(both)
    assert both.shares is None
    parts = PointSet.concatenated([whole.part(slice(0, 1)), whole.part(slice(3, 6))])
    np.testing.assert_array_equal(parts.shares, np.full((4, 1), 1 / 6))


def test_a_missing_weight_is_one_and_missing_normals_are_missing_in_the_whole():
    bare = numbered(2, weights=None, normals=None)
    both = PointSet.concatenated([bare, numbered(2)])
    np.testing.assert_array_equal(both.weights, [[1], [1], [1], [2]])
    assert both.normals is None
    assert PointSet.concatenated([bare, bare]).weights is None


def test_sets_that_do_not_fit_together_are_refused():
    whole = numbered()
    with pytest.raises(ValueError, match="different columns: c, s; none"):
        PointSet.concatenated([whole, numbered(columns={})])
    with pytest.raises(ValueError, match="some have none"):
        PointSet.concatenated([whole, whole.part(slice(0, 2))])


def test_tensors_and_arrays_are_one_type():
    points = numbered(shares=np.full((6, 1), 0.5))
    tensors = points.mapped(lambda one: torch.as_tensor(one, dtype=torch.float32))
    assert {one.dtype for one in tensors.arrays().values()} == {torch.float32}
    assert_belong_together(tensors.part(torch.tensor([2, 2, 5])).mapped(torch.Tensor.numpy))
    assert PointSet(tensors.coordinates).all_shares().dtype == torch.float32
    named = points.arrays()
    assert list(named) == ["coordinates", "shares", "weights", "normals", "columns.c", "columns.s"]
    assert PointSet.of_arrays(named).arrays().keys() == named.keys()
