"""`python -m benchmark.step_run`: the training step of pinnkit with one engine."""

from __future__ import annotations

import argparse
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from benchmark.peers.step_timing import BLOCK, StepTimer, arguments, say, torch_memory
from benchmark.step_problems import CASES, sampling
from pinnkit.language.errors import Report
from pinnkit.runs.console import suppress_library_logs
from pinnkit.runs.factory import assemble
from pinnkit.settings import read_settings


class Ticks(Callback):
    """Tells the timer how many steps have been made, at the end of each call of `training_step`."""

    def __init__(self, timer: StepTimer) -> None:
        self.timer = timer

    def on_train_batch_end(self, trainer: lightning.Trainer, module: Any, *_: Any) -> None:
        if not self.timer.reached(module.progress.step):
            trainer.should_stop = True


LENGTH = 10_000
"""Steps that the run is said to have, by which `auto` judges what pays; the timer ends it much earlier."""


def time_steps(module: Any, data: Any, timer: StepTimer, accelerator: str = "cpu") -> None:
    """Train by a Trainer that does nothing beside the steps, which the timer counts and ends."""
    trainer = lightning.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=-1,
        logger=False,
        callbacks=[Ticks(timer)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
    )
    trainer.fit(module, datamodule=data)


def train(options: argparse.Namespace, timer: StepTimer) -> dict[str, Any]:
    """Train as a run does, without logs, checkpoints and pictures; returns the engine that ran and the last objective.

    It may be another one than was asked for: `auto` chooses, and an engine that does not fit a problem gives way.
    """
    accelerator = "gpu" if options.device == "cuda" else "cpu"
    report = Report()
    settings = read_settings(
        {
            "dtype": options.dtype,
            "network": {"width": options.width, "depth": options.depth, "activation": "tanh"},
            "sampling": sampling(options.points or CASES[options.problem].points),
            "operators": {"engine": options.engine},
            "optimizer": "adam",
            "trainer": {"accelerator": accelerator, "max_steps": LENGTH, "steps_per_batch": BLOCK},
        },
        report,
    )
    report.raise_if_any()
    module, data = assemble(CASES[options.problem].problem(), settings, threads=options.threads)
    time_steps(module, data, timer, accelerator)
    return {"engine": module.choice.engine, "loss": float(module.losses_now["objective"])}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--engine", default="autograd")
    parser.add_argument("--points", type=int, help="collocation points; the problem's own where it is not given")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cuda = options.device == "cuda"
    with suppress_library_logs():
        timer = StepTimer(options.steps, options.seconds, torch.cuda.synchronize if cuda else lambda: None)
        trained = train(options, timer)
    device = {"device": torch.cuda.get_device_name()} if cuda else {}
    figures = {**timer.figures(), **torch_memory(options), **device, **trained}
    say(f"pinnkit {options.engine}", ("pinnkit", "torch", "lightning"), **figures)


if __name__ == "__main__":
    main()
