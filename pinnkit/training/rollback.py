"""Going back to an earlier checkpoint after divergence."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pinnkit.training.checkpoint_reader import DamagedCheckpoint, newest, read
from pinnkit.training.exceptions import CannotWrite
from pinnkit.training.module import PINN


def roll_back(last: Path, previous: Path, step: int | None, module: PINN) -> tuple[Path, int]:
    """The newest checkpoint that can be used and is of this step or an earlier one (None: the newest), and its step.

    Where there is no such one, the oldest. It is `last` from now on: a later one has the fault that training goes back
    from.

    Raises:
        DamagedCheckpoint: none can be used.
        CannotWrite: it cannot be renamed.
    """
    path, content = newest([path for path in (last, previous) if path.exists()], module)
    if step is not None and content["progress"]["step"] > step and path == last and previous.exists():
        with suppress(DamagedCheckpoint):
            path, content = newest([previous], module)
    if path != last:
        try:
            os.replace(path, last)
        except OSError as error:
            raise CannotWrite(last, error) from error
    return last, content["progress"]["step"]


def remove_later(best: Path, step: int) -> None:
    """Remove `best` where it is of a later step than training went back to: of weights that were given up.

    Raises:
        CannotWrite: it cannot be removed.
    """
    with suppress(DamagedCheckpoint):
        if read(best)["progress"]["step"] > step:
            try:
                best.unlink()
            except OSError as error:
                raise CannotWrite(best, error) from error
