"""Engines, which compute losses, their gradients and the Jacobian of residuals; the choice of a run's engine."""
