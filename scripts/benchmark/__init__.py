"""Benchmarks: the time of a training step, accuracy under a time budget, memory, and several processes."""
