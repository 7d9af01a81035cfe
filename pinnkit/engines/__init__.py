"""What computes losses, their gradients and the Jacobian of residuals: engines, and which one a run uses."""
