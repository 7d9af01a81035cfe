"""Features as plain data: what is kept makes the same features, and what cannot be is refused by its key."""

import copy
import math

import pytest
import torch

from pinnkit.networks.features import RandomFeatures
from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings
from pinnkit.training.feature_state import attach, base_state, check_features, features_of, load_state, saved_state
from tests.runs.small_features import features

WORDS = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": {"u": ["x", "t"], "k": ["x"]},
    "parameters": {"a": {"learn": 1.0}},
    "equations": ["u_t = diff(k*u_x, x) + a", "k_x = 0"],
    "conditions": {"start": {"at": "t = 0", "equations": "u = x"}, "end": {"at": "x = 0", "equations": "k = 1"}},
}
INVERSION = {"inversion": (0.5, 0.2), "inverted": (0,)}
DRAWN = [
    (features("sin", columns=(0, 1), periodic=(0,)), 0),
    (features("tanh", columns=(0, 1), interval=(1, -math.inf, 0.5)), 0),
    (features("tanh", columns=(0,), lower=(0.1,), logarithmic=(0,)), 1),
    (features("sin", columns=(0, 1), ranges=(2.0,) * 3, lower=(0.0,) * 3, upper=(1.0,) * 3, states=(0,)), 0),
    (features("sin", columns=(0,), ranges=(2.0,) * 2, lower=(0.0,) * 2, upper=(1.0,) * 2, states=(0,), **INVERSION), 0),
]
POINTS = torch.rand(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.1


def made(method="network"):
    return assemble(Problem(**WORDS), Settings(method=method))[0]


@pytest.fixture(scope="module")
def module():
    found = made()
    for one, group in DRAWN:
        part = RandomFeatures(one, 1)
        with torch.no_grad():
            part.coefficients.copy_(torch.arange(7.0)[:, None])
        found.network.add(part, group)
    return found


@pytest.fixture
def kept(module, tmp_path):
    """As a file holds it."""
    torch.save(features_of(module.model), tmp_path / "features")
    return torch.load(tmp_path / "features", weights_only=True)


def test_what_is_kept_makes_the_same_fields(module, kept):
    other = made()
    check_features(kept, other.model)
    other.load_state_dict(base_state(module.state_dict()))
    plain = other(POINTS)
    attach(other.model, kept)
    assert torch.equal(other(POINTS), module(POINTS))
    assert (other(POINTS) - plain).abs().min() > 1e-3
    assert [one.features for one in other.network.expansions] == [one for one, _ in DRAWN]


def test_a_file_from_before_features_of_outputs_is_read(kept):
    other = made()
    del kept["expansions"][3:]
    for one in kept["expansions"]:
        for key in ("states", "inversion", "inverted"):
            del one["description"][key]
    check_features(kept, other.model)
    attach(other.model, kept)
    assert [one.features for one in other.network.expansions] == [one for one, _ in DRAWN[:3]]


def test_a_state_is_loaded_over_another(module):
    other = made()
    load_state(other, other.model, saved_state(module, module.model))
    assert torch.equal(other(POINTS), module(POINTS))
    load_state(other, other.model, saved_state(made(), made().model))
    assert not other.network.expansions


def test_features_alone_have_a_dtype_and_no_parameters():
    alone = made("features")
    assert list(alone.network.parameters()) == []
    assert alone.network.state_dict() == {}
    assert alone.model.like.dtype == torch.float64
    assert torch.equal(alone(POINTS), torch.zeros(20, 2, dtype=torch.float64))
    assert features_of(alone.model) is None


WRONG = {
    "expansions": ([], "no list"),
    "expansions.0.group": (2, "there are 2 networks"),
    "expansions.0.weight": (torch.zeros(7, 2, dtype=torch.float64), "shape"),
    "expansions.0.offset": (torch.zeros(7), "float64"),
    "expansions.2.coefficients": (torch.zeros(7, 2, dtype=torch.float64), "shape"),
    "expansions.0.description": ({}, "not whole"),
    "expansions.0.description.kind": ("cos", "no 'cos'"),
    "expansions.0.description.count": (10**9, "count"),
    "expansions.0.description.seed": (-1, "seed"),
    "expansions.0.description.columns": ([0, 2], "indices below 2"),
    "expansions.0.description.periodic": ([5], "indices"),
    "expansions.0.description.ranges": ([1.0], "numbers"),
    "expansions.0.description.lower": ([1.0, 0.0], "cannot be scaled"),
    "expansions.2.description.lower": ([-1.0], "cannot be scaled"),
    "expansions.1.description.interval": ([7, 0.0, 1.0], "indices"),
    "expansions.3.description.states": ([1], "indices below 1"),
    "expansions.3.description.upper": ([1.0, 1.0], "3 numbers"),
    "expansions.4.description.inverted": ([2], "indices below 2"),
    "expansions.4.description.inversion": ([0.5], "2 numbers"),
    "expansions.3.weight": (torch.zeros(2, 7, dtype=torch.float64), "shape"),
    "learned": ({}, "a are needed"),
}


def changed(kept, key, value):
    found = copy.deepcopy(kept)
    *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    place = found
    for part in path:
        place = place[part]
    place[last] = value
    return found


@pytest.mark.parametrize("key", WRONG)
def test_what_cannot_be_is_refused_by_its_key(module, kept, key):
    value, told = WRONG[key]
    with pytest.raises(InvalidStateError, match=told) as error:
        check_features(changed(kept, key, value), module.model)
    assert str(error.value).startswith("features.")


@pytest.mark.parametrize("name", ["weight", "offset", "coefficients"])
def test_numbers_that_are_not_finite_are_refused(module, kept, name):
    broken = kept["expansions"][0][name].clone()
    broken.view(-1)[3] = math.nan
    with pytest.raises(NonFiniteStateError, match=name):
        check_features(changed(kept, f"expansions.0.{name}", broken), module.model)
