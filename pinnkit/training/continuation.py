"""The part of a module that is trained at other values of parameters on its way to those of the problem."""

from __future__ import annotations

import lightning

from pinnkit.training.state import TrainingState


class ContinuedModule(lightning.LightningModule):
    """A module that is trained at the values of its stages, and has the problem's own before and after training."""

    state: TrainingState

    def on_fit_start(self) -> None:
        """Set the values of the stage with which training begins, or goes on."""
        self.state.parameters.put(self.state.stage.at)

    def on_fit_end(self) -> None:
        """Set the problem's own values."""
        self.state.parameters.put(None)
