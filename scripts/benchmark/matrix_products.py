"""`python -m benchmark.matrix_products`: the bare matrix products of a training step in Taylor mode.

For each part that Taylor mode carries, and each weight matrix between hidden layers, a training step makes three
products: A W on the way forward, and on the way back G W' (by the input) and A' G (by the weight), where A and G are
(points, width) and W is (width, width). Taylor mode as it is counted in `problems.parts` cannot be faster than these
products; a mode that carries fewer parts can.
"""

from __future__ import annotations

import argparse

import torch

from benchmark.peers.step_timing import StepTimer, arguments, say
from benchmark.step_problems import CASES, parts


def count(part_count: int, depth: int) -> int:
    """Products in a step.

    >>> count(4, depth=4)
    36
    """
    return part_count * (depth - 1) * 3


def multiply(options: argparse.Namespace, timer: StepTimer) -> None:
    """Make the products of a step again and again; each part has arrays of its own, as in a network."""
    shape = (options.points or CASES[options.problem].points, options.width)
    like = {"dtype": getattr(torch, options.dtype), "device": options.device}
    generator = torch.Generator(options.device).manual_seed(0)
    weight = torch.randn(options.width, options.width, generator=generator, **like)
    by_weight = torch.empty_like(weight)
    arrays = [
        (torch.randn(shape, generator=generator, **like), torch.empty(shape, **like))
        for _ in range(parts(CASES[options.problem]))
    ]
    going = True
    while going:
        for _ in range(options.depth - 1):
            for values, result in arrays:
                torch.mm(values, weight, out=result)
            for values, result in arrays:
                torch.mm(values, weight.T, out=result)
                torch.mm(values.T, result, out=by_weight)
        going = timer.tick()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--points", type=int, help="rows of the arrays; the problem's points where it is not given")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    timer = StepTimer(
        options.steps, options.seconds, torch.cuda.synchronize if options.device == "cuda" else lambda: None
    )
    multiply(options, timer)
    say("bare matrix products", ("torch",), **timer.figures(), loss=None)


if __name__ == "__main__":
    main()
