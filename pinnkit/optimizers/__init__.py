"""Optimizers: Adam and L-BFGS of PyTorch, and self-scaled quasi-Newton methods for losses far below 1e-10."""
