"""Optimizers: first-order, quasi-Newton and Gauss-Newton methods, for losses far below 1e-10."""
