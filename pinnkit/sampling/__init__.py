"""Which collocation points: a pure function of (seed, draw, index)."""
