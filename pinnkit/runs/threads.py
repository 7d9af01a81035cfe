"""The number of threads of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pinnkit.problem.problem import Problem
from pinnkit.settings import Settings

SMALL = 2**16
"""Points times neurons up to which one thread is as fast as several."""


@contextmanager
def single_thread_if_small(problem: Problem, settings: Settings) -> Iterator[int]:
    """Use one thread while this is open, where the arrays are too small to gain by more.

    Several threads then only wait for each other, and much longer where another program holds a core. Gives the number
    of threads that was set before: compiled code divides the points among them.
    """
    former = torch.get_num_threads()
    dimension = len(problem.coordinates)
    network = settings.network.chosen(dimension, dimension, problem.simple, problem.steady, len(problem.equations))
    assert network.width is not None
    small = settings.sampling.count(dimension) * network.width <= SMALL
    if small and settings.method == "network":
        torch.set_num_threads(1)
    try:
        yield former
    finally:
        torch.set_num_threads(former)
