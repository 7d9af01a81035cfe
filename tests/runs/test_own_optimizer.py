"""An optimizer of the user's, registered in their own Python: its runs are loaded and resumed like others."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.optimizers.settings import OPTIMIZERS, FirstOrder
from pinnkit.training.checkpoint_reader import DamagedCheckpoint
from tests.runs.small import QUICK, solved

OWN = {
    "amsgrad": lambda parameters, rate: torch.optim.Adam(parameters, rate, amsgrad=True, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


@pytest.fixture(params=OWN)
def settings(request, monkeypatch):
    monkeypatch.setattr(OPTIMIZERS, "_parts", dict(OPTIMIZERS))

    @OPTIMIZERS.register(request.param)
    @dataclass(frozen=True)
    class Own(FirstOrder):
        """One of torch's."""

        def build(self, parameters):
            return OWN[request.param](parameters, self.learning_rate)

    return {**QUICK, "phases": [{"name": request.param, "learning_rate": 0.01}]}


def at_most(settings, steps):
    return {**settings, "trainer": {"max_steps": steps}}


def test_its_run_is_loaded_and_goes_on_to_the_same_end(settings, tmp_path):
    whole = solved(tmp_path / "whole", settings=settings)
    first = solved(tmp_path / "parts", settings=at_most(settings, 6))
    t = np.linspace(0, 1, 7)
    assert np.array_equal(pinnkit.load(tmp_path / "parts")(t=t)["u"], first(t=t)["u"])
    second = solved(tmp_path / "parts", settings=settings, resume=True)
    assert second.metrics["optimizers"] == [settings["phases"][0]["name"]]
    assert np.array_equal(second(t=t)["u"], whole(t=t)["u"])
    assert not np.array_equal(second(t=t)["u"], first(t=t)["u"])


@pytest.mark.parametrize("settings", ["rmsprop"], indirect=True)
def test_a_number_in_its_state_that_is_not_finite_is_found(settings, tmp_path):
    path = solved(tmp_path, settings=settings).folder / "checkpoints" / "last.ckpt"
    content = torch.load(path, weights_only=True)
    content["optimizer_states"][0]["state"][0]["square_avg"][0] = torch.nan
    torch.save(content, path)
    with pytest.raises(DamagedCheckpoint, match=r"state\[0\].square_avg: holds NaN or infinity"):
        pinnkit.load(tmp_path)
