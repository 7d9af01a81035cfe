"""The collocation points of windows of time, as Lightning's data."""

from __future__ import annotations

from typing import Any

from pinnkit.problem.narrowed_time import START
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.time_windows import TimeWindows


class WindowedData(CollocationData):
    """Draws the points of each window of time in it, from its beginning anew.

    The points at its start, and what the window before ends with there, are a function of (seed, draw) and of the
    networks of that window.

    Args:
        windows: of the run.
        others: the arguments of `CollocationData`.
    """

    __qualname__ = CollocationData.__qualname__  # the key by which Lightning keeps its state in checkpoints

    def __init__(self, windows: TimeWindows, *others: Any) -> None:
        super().__init__(*others)
        self.windows = windows
        self._enter()

    def setup(self, stage: str) -> None:
        """Let the networks stand for the present window alone, at all points."""
        self.windows.alone(True)

    def teardown(self, stage: str) -> None:
        """Let them stand for the whole time."""
        self.windows.alone(False)

    def begin_window(self, step: int) -> bool:
        """Whether another window of time begins with this step."""
        if self.window == self.windows.number:
            return False
        self._enter()
        self.by_residual = set()
        self.first_draw = step // (self.sampling.redraw_every or step + 1)
        return True

    def seconds(self) -> tuple[float, float] | None:
        """Seconds of the window, and those of them that are left; None: there is no such limit."""
        module = self.trainer.lightning_module
        limit = self.windows.budget.seconds(module.limits)
        return None if limit is None else (limit, self.windows.began_s + limit - module.progress.train_time_s)

    def _enter(self) -> None:
        self.window, self.problem, self.stages = self.windows.number, self.windows.problem, self.windows.stages

    def _even(self, name: str, draw: int, count: int | None = None) -> PointSet:
        points = super()._even(name, draw, count)
        return self.windows.with_start(points) if name == START else points

    def _may_follow_residual(self, name: str) -> bool:
        return name != START and super()._may_follow_residual(name)

    def state_dict(self) -> dict[str, Any]:
        own = {"window": self.window, "first_draw": self.first_draw, "windows": self.windows.state_dict()}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.windows.load_state_dict(state["windows"])
        self._enter()
        if state["window"] == self.window:  # else the next window has begun, and draws points of its own
            super().load_state_dict(state)
        self.window, self.first_draw = state["window"], state["first_draw"]
