"""Collocation points as a pure function of (seed, draw, index)."""
