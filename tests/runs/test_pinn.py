"""The public LightningModule trains with a Trainer of one's own."""

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, Timer

import pinnkit

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*workers", "ignore:Be aware")
SMALL = {
    "network": {"width": 6, "depth": 1},
    "sampling": {"equations": 20, "conditions": 4, "redraw_every": 10},
    "optimizer": "adam",
    "trainer": {"steps_per_batch": 5},
}


class Draws(Callback):
    """Keeps the first equation point of every draw, and what was logged."""

    def __init__(self):
        self.points, self.objectives = [], []

    def on_train_epoch_start(self, trainer, module):
        self.points.append(float(trainer.datamodule.batches()["equations"].coordinates[0, 0]))

    def on_train_batch_end(self, trainer, module, *_):
        self.objectives.append(float(trainer.callback_metrics["loss/objective"]))


def trainer(folder, *callbacks, **arguments):
    silent = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    kept = any(isinstance(one, ModelCheckpoint) for one in callbacks)
    return lightning.Trainer(
        accelerator="cpu", default_root_dir=folder, callbacks=list(callbacks), enable_checkpointing=kept, **silent,
        **arguments,
    )  # fmt: skip


def weights(module):
    return torch.cat([value.detach().flatten() for value in module.parameters()])


def test_it_makes_the_steps_of_the_trainer_on_new_points(heat_words, tmp_path):
    module, watched = pinnkit.PINN(pinnkit.Problem(**heat_words), SMALL), Draws()
    used = trainer(tmp_path, watched, max_steps=23)
    used.fit(module, module.data)
    assert (module.progress.step, used.global_step) == (23, 23)
    assert len(set(watched.points)) == 3  # a draw for ten steps each
    assert watched.objectives[-1] < watched.objectives[0]
    assert module.stopped == "23 steps are done"


def test_it_trains_as_solve_does(heat_words, tmp_path):
    problem = pinnkit.Problem(**heat_words)
    module = pinnkit.PINN(problem, SMALL)
    trainer(tmp_path, max_steps=20).fit(module, module.data)
    quiet = {"callbacks": {"progress": False, "figures": False}, "logger": {"tensorboard": False}}
    limited = {**SMALL, **quiet, "trainer": {"steps_per_batch": 5, "max_steps": 20}}
    solved = pinnkit.solve(problem, tmp_path / "run", limited)
    assert torch.equal(weights(module), weights(solved.module))
    x = np.linspace(-1, 1, 5)
    np.testing.assert_array_equal(module.solution()(x=x, t=0.5)["u"], solved(x=x, t=0.5)["u"])
    loaded = pinnkit.PINN.load_from_checkpoint(
        tmp_path / "run" / "checkpoints" / "last.ckpt", problem=problem, settings=SMALL, weights_only=True
    )
    assert torch.equal(weights(loaded), weights(module))


def test_its_checkpoints_load_and_go_on(heat_words, tmp_path):
    problem = pinnkit.Problem(**heat_words)
    whole = pinnkit.PINN(problem, SMALL)
    trainer(tmp_path, max_steps=20).fit(whole, whole.data)
    first = pinnkit.PINN(problem, SMALL)
    trainer(tmp_path, ModelCheckpoint(tmp_path, "half"), max_steps=10).fit(first, first.data)
    second = pinnkit.PINN(problem, SMALL)
    trainer(tmp_path, max_steps=20).fit(second, second.data, ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert second.progress.step == 20
    assert torch.equal(weights(second), weights(whole))
    loaded = pinnkit.PINN.load_from_checkpoint(tmp_path / "half.ckpt", problem=problem, settings=SMALL)
    assert torch.equal(weights(loaded), weights(first))
    assert loaded.progress.step == 10


def test_the_time_of_the_trainer_is_the_limit(heat_words, tmp_path):
    module = pinnkit.PINN(pinnkit.Problem(**heat_words), SMALL)
    timed = trainer(tmp_path, max_time={"seconds": 30}, max_steps=5)
    assert any(isinstance(one, Timer) for one in timed.callbacks)
    timed.fit(module, module.data)
    assert 29 < module.limits.max_time <= 30
    assert module.progress.step == 5


def test_an_own_network_is_trained(heat_words, tmp_path):
    network = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    module = pinnkit.PINN(pinnkit.Problem(**heat_words), SMALL, network=network)
    before = weights(module).clone()
    trainer(tmp_path, max_steps=5).fit(module, module.data)
    assert not torch.equal(before, weights(module))
    assert network[0].weight.data_ptr() == module.network.networks[0][0].weight.data_ptr()


def test_what_is_wrong_is_refused_at_once(heat_words):
    with pytest.raises(TypeError, match="is needed, and a dict was given"):
        pinnkit.PINN(heat_words)
    with pytest.raises(pinnkit.ProblemError, match="unknown key 'widht'"):
        pinnkit.PINN(pinnkit.Problem(**heat_words), {"network": {"widht": 3}})
    with pytest.raises(pinnkit.ProblemError, match="network: gives"):
        pinnkit.PINN(pinnkit.Problem(**heat_words), network=torch.nn.Linear(2, 3))
