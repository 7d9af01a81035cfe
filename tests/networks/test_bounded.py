"""Maps onto bounded intervals: within them everywhere, smooth, and exact at the start."""

import math

import pytest
import torch

from pinnkit.networks.bounded import bounded, unbounded
from pinnkit.networks.fields import Output

INTERVALS = [(0.1, 10.0), (0.0, math.inf), (-3.0, math.inf), (-math.inf, 2.0), (-math.inf, math.inf)]


@pytest.mark.parametrize("ends", INTERVALS)
def test_values_stay_within_the_bounds_and_grow_or_fall_throughout(ends):
    raw = torch.linspace(-20, 20, 101, dtype=torch.float64)
    values = bounded(raw, *ends)
    assert bool(((values > ends[0]) & (values < ends[1])).all())
    steps = values.diff()
    assert bool((steps > 0).all()) or bool((steps < 0).all())


@pytest.mark.parametrize("ends", INTERVALS)
@pytest.mark.parametrize("value", [0.2, 1.0, 1.9])
def test_the_start_is_the_value_that_was_given(ends, value):
    raw = torch.tensor(unbounded(value, *ends), dtype=torch.float64)
    assert float(bounded(raw, *ends)) == pytest.approx(value, rel=1e-14)


def test_a_field_within_bounds_takes_its_scale_where_it_has_one_end():
    z = torch.linspace(-2, 2, 5, dtype=torch.float64)
    torch.testing.assert_close(Output((0,), None, 8.0, (0.5, math.inf))(z), 0.5 + 8 * z.exp(), rtol=1e-15, atol=0)
    torch.testing.assert_close(Output((0,), None, 8.0, (0.5, 2.5))(z), 0.5 + 2 * z.sigmoid(), rtol=1e-15, atol=0)
