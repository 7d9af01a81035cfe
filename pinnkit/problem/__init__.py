"""A differential equation problem as data, and what can be known of it before training."""
