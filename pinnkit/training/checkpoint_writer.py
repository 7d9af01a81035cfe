"""The callback that writes checkpoints."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from pinnkit.training.checkpoint_schema import FORMAT
from pinnkit.training.exceptions import CannotWrite, RankLost
from pinnkit.training.feature_state import KEY
from pinnkit.training.module import PINN
from pinnkit.versions import versions

WRITER = ("PytorchStreamWriter", "inline_container")
"""In torch's messages of a file that it cannot write."""


class Checkpoints(Callback):
    """Writes `last` at the start, every so many steps and minutes, and at the end; `previous` is the one before it.

    `best` is the last where the objective was least, under the reference weights. It is judged by that and never by the
    error: choosing by the reference would flatter the figures. Each is written under a temporary name, forced to the
    disk and then renamed, so that what carries the name is whole.

    Args:
        last, previous, best: their paths.
        every_steps, every_minutes: how often.
        config: the text of config.yaml.
        data: checksums of the samples.
        begins: whether one is written before the first step; one that stands there already is better otherwise.
    """

    def __init__(
        self,
        last: Path,
        previous: Path,
        best: Path,
        every_steps: int,
        every_minutes: float,
        config: str,
        data: Mapping[str, str],
        begins: bool = True,
    ) -> None:
        self.last, self.previous, self.best = last, previous, best
        self.every_steps, self.every_minutes = every_steps, every_minutes
        self.config, self.data, self.begins = config, dict(data), begins
        self._next = 0
        self._step: int | None = None
        self._written = time.monotonic()
        self._least = float("inf")
        self._terms: list[str] = []
        """The terms of the objective that is the least, and the values of parameters where these are not the problem's
        own: those of other stages cannot be compared with it."""
        self._whole = True
        """Whether the last one can be used, and so replace the one before it."""

    def on_train_start(self, trainer: lightning.Trainer, module: PINN) -> None:  # type: ignore[override]
        if trainer.ckpt_path is not None:
            self._whole = Path(trainer.ckpt_path).name == self.last.name  # known to all ranks by its name alone
        if module.state.unsaved or (module.progress.step == 0 and self.begins):
            self._write(trainer, module)
        elif module.progress.step and self._whole and not module.rolled_back:  # otherwise it lacks the rollback
            self._step = module.progress.step

    def on_train_batch_end(self, trainer: lightning.Trainer, module: PINN, *_: Any) -> None:  # type: ignore[override]
        late = time.monotonic() - self._written >= 60 * self.every_minutes
        if module.progress.step >= self._next or module.ranks.any(late, module.device):
            self._write(trainer, module)

    def on_train_end(self, trainer: lightning.Trainer, module: PINN) -> None:  # type: ignore[override]
        if (
            module.state.unsaved or module.progress.step != self._step
        ):  # or the one before it would be lost for the same once more
            self._write(trainer, module)

    def on_save_checkpoint(self, trainer: lightning.Trainer, module: PINN, checkpoint: dict[str, Any]) -> None:  # type: ignore[override]
        checkpoint["pinnkit"] = {
            "format": FORMAT,
            "config": self.config,
            "data": self.data,
            "versions": versions(),
        }

    def _write(self, trainer: lightning.Trainer, module: PINN) -> None:
        """Write the checkpoints.

        Raises:
            Diverged: a parameter is not finite; the last checkpoint stays.
            CannotWrite: a file cannot be written.
            RankLost: another process waits, as this one cannot write.
        """
        if not all(bool(torch.isfinite(one).all()) for one in module.parameters()):
            batches = {name: batch.to(module.device) for name, batch in trainer.datamodule.batches().items()}  # type: ignore[attr-defined]
            raise module.divergence.not_finite(batches, module.progress.step, new=False)
        self._next = module.progress.step // self.every_steps * self.every_steps + self.every_steps
        self._written, self._step, module.state.unsaved = time.monotonic(), module.progress.step, False
        state, at = module.state, [module.state.losses_at.label] if module.state.losses_at is not None else []
        present = bool(module.losses_now) and state.losses_window == state.window
        objective = float(module.losses_now["objective"]) if present else float("inf")
        at += [f"window {state.window}"] if state.windows is not None else []
        if present and self._terms != sorted(module.losses_now) + at:
            self._terms, self._least = sorted(module.losses_now) + at, float("inf")
        better = objective < self._least
        self._least = min(self._least, objective)
        temporary, copy = self.last.with_suffix(".tmp"), self.best.with_suffix(".tmp")
        try:
            trainer.save_checkpoint(temporary)
            if not module.ranks.first:
                return
            _settle(temporary)
            if better:
                shutil.copyfile(temporary, copy)
                _settle(copy)
                os.replace(copy, self.best)
            if self.last.exists() and self._whole:
                os.replace(self.last, self.previous)  # until the next line the newest whole one has this name
            os.replace(temporary, self.last)
            self._whole = True
        except (OSError, RuntimeError) as error:
            if not isinstance(error, OSError) and not any(word in str(error) for word in WRITER):
                if module.ranks.count == 1:
                    raise
                first = str(error).splitlines()[0]  # they wait for each other
                raise RankLost(module.ranks.rank, module.ranks.count, first) from error
            for path in (temporary, copy):
                path.unlink(missing_ok=True)
            raise CannotWrite(self.last, str(error).splitlines()[0]) from error

    def state_dict(self) -> dict[str, Any]:
        return {"next": self._next, "least": self._least, "terms": self._terms}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._next, self._terms = state["next"], list(state["terms"])
        self._least = state["least"] if self.best.exists() else float("inf")


def set_features(path: Path, features: Mapping[str, Any] | None) -> None:
    """Put features into a checkpoint, beside the trained parameters, or take them out of it; None: there are none.

    Raises:
        OSError: it cannot be written.
    """
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)  # most of it is not looked at
    former = content.pop(KEY, None)
    if former is None and features is None:
        return
    if features is not None:
        content[KEY] = features
    temporary = path.with_suffix(".tmp")
    try:
        torch.save(content, temporary)
        _settle(temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        if not isinstance(error, OSError) and not any(word in str(error) for word in WRITER):
            raise
        temporary.unlink(missing_ok=True)
        raise CannotWrite(path, str(error).splitlines()[0]) from error


def _settle(path: Path) -> None:
    """Wait until a file is on the disk, so that its new name never stands for less than all of it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
