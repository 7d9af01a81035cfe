"""Shipped tables of PINNacle's problems (Hao et al. 2023, arXiv 2306.08827): references, and samples with noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import yaml
from scipy.fft import dctn, dstn, idctn, idstn, irfftn, rfftn

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, expression
from pinnkit.problem.problem import Problem
from pinnkit.references.etdrk4 import coefficients, step
from pinnkit.references.fem.reference import Fem


def pinnacle_tables(folder: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Name and arrays of each table; `folder` holds the problem files. It takes some minutes."""
    yield "poisson_inv", poisson_samples()
    yield "heat_inv", heat_samples()
    yield "wave2d_ms", moved_membrane(np.linspace(0, 1, 17), np.linspace(0, 1, 17), np.linspace(0, 100, 42))
    words = yaml.safe_load((folder / "wave2d_cg.yaml").read_text(encoding="utf-8"))
    yield "wave2d_cg", _single(heterogeneous_wave(words))
    yield "poisson2d_ms", board(yaml.safe_load((folder / "poisson2d_ms.yaml").read_text(encoding="utf-8")))
    yield "heat2d_lt", driven_heat()
    yield "gs", gray_scott()


def poisson_samples(side: int = 50, noise: float = 0.1, seed: int = 0) -> dict[str, np.ndarray]:
    """u = sin(pi x) sin(pi y) + noise on a side x side grid of the unit square, a row a point."""
    axis = np.linspace(0, 1, side)
    x, y = (one.ravel() for one in np.meshgrid(axis, axis, indexing="ij"))
    u = np.sin(np.pi * x) * np.sin(np.pi * y) + noise * np.random.default_rng(seed).standard_normal(x.size)
    return {"x": x, "y": y, "u": u}


def heat_samples(count: int = 2500, noise: float = 0.1, seed: int = 0) -> dict[str, np.ndarray]:
    """u = exp(-t) sin(pi x) sin(pi y) + noise at random places of [-1, 1]^2 and times of [0, 1]."""
    rng = np.random.default_rng(seed)
    x, y, t = rng.uniform(-1, 1, count), rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    u = np.exp(-t) * np.sin(np.pi * x) * np.sin(np.pi * y) + noise * rng.standard_normal(count)
    return {"x": x, "y": y, "t": t, "u": u}


def moved_membrane(x: np.ndarray, y: np.ndarray, t: np.ndarray, terms: int = 200_000) -> dict[str, np.ndarray]:
    """u_tt = u_xx + 2 u_yy in the unit square, u = g on its rim and at t = 0, u_t = 0 at t = 0, with

        g = (sin(pi x) sinh(pi y) + sinh(3 pi x) sin(2 pi y)) cos(pi t).

    w = u - g is zero on the rim and at the start, and w_tt - w_xx - 2 w_yy = 2 pi^2 g. With the sine coefficients
    a_l of sinh(pi y) and b_k of sinh(3 pi x),

        w = sin(pi x) sum a_l/l^2 (cos(pi t) - cos(pi sqrt(1 + 2 l^2) t)) sin(l pi y)
          + sin(2 pi y) sum 2 b_k/(k^2 + 7) (cos(pi t) - cos(pi sqrt(k^2 + 8) t)) sin(k pi x).

    Args:
        x, y, t: the axes of a grid.
        terms: of each sum; they fall as the third power.
    """
    k = np.arange(1, terms + 1, dtype=float)
    sign = np.where(k % 2 == 1, 1.0, -1.0)
    first = _sum(y, t, 2 * sign * np.sinh(np.pi) / (np.pi * k * (1 + k**2)), np.sqrt(1 + 2 * k**2))
    second = _sum(x, t, 4 * k * sign * np.sinh(3 * np.pi) / (np.pi * (9 + k**2) * (7 + k**2)), np.sqrt(8 + k**2))
    swing = np.cos(np.pi * t)
    first += np.sinh(np.pi * y)[:, None] * swing
    second += np.sinh(3 * np.pi * x)[:, None] * swing
    sines = np.sin(np.pi * x), np.sin(2 * np.pi * y)
    u = sines[0][:, None, None] * first[None] + sines[1][None, :, None] * second[:, None]
    return {"x": x, "y": y, "t": t, "u": u}


def _sum(x: np.ndarray, t: np.ndarray, factors: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """(x, t): sum of factor_k (cos(pi t) - cos(pi frequency_k t)) sin(pi k x), in blocks of terms."""
    total, block = np.zeros((len(x), len(t))), 20_000
    for begin in range(0, len(factors), block):
        part = slice(begin, begin + block)
        k = np.arange(begin + 1, begin + 1 + len(factors[part]))
        turned = np.cos(np.pi * t)[None] - np.cos(np.pi * frequencies[part, None] * t)
        total += np.sin(np.pi * np.outer(x, k)) @ (factors[part, None] * turned)
    return total


def heterogeneous_wave(words: dict, nodes: int = 512, side: int = 33, times: int = 26) -> dict[str, np.ndarray]:
    """u_tt = c(x, y) (u_xx + u_yy) in [-1, 1]^2 without flux, from rest, to t = 5; c and the start are the file's.

    Cosines at nodes x nodes points, at the middles of cells; in time, with A = c laplacian, of order 4,
    u(t + h) + u(t - h) = 2 u + h^2 A u + h^4/12 A^2 u. The start has a slope at the sides, so that coefficients fall
    as the square of the wave number alone: with 64, 128, 256 nodes and
    their doubles u differs by 1.1e-3, 3.8e-4, 1.4e-4 (relative L2).
    """
    middles = (2 * np.arange(nodes) + 1) / nodes - 1
    points = dict(zip("xy", np.meshgrid(middles, middles, indexing="ij"), strict=True))
    start = words["conditions"]["shape"]["equations"].removeprefix("u = ")
    c, u = _values(words["define"], "c", points), _values({"start": start}, "start", points)
    squares = (np.pi / 2 * np.arange(nodes)) ** 2
    laplacian = -(squares[:, None] + squares)
    step = 5 / (times - 1)
    count = int(np.ceil(step * np.sqrt(float(c.max()) * 2 * float(squares[-1])) / 3))  # its limit is sqrt(12)
    h = step / count

    def rate(values: np.ndarray) -> np.ndarray:
        return c * idctn(laplacian * dctn(values, norm="ortho"), norm="ortho")

    axis = np.linspace(-1, 1, side)
    basis = np.cos(np.pi / 2 * np.outer(axis + 1, np.arange(nodes))) * np.sqrt(2 / nodes)
    basis[:, 0] = 1 / np.sqrt(nodes)
    found = [basis @ dctn(u, norm="ortho") @ basis.T]
    once = rate(u)
    before, now = u, u + h**2 / 2 * once + h**4 / 24 * rate(once)
    for number in range(1, count * (times - 1) + 1):
        if number % count == 0:
            found.append(basis @ dctn(now, norm="ortho") @ basis.T)
        once = rate(now)
        before, now = now, 2 * now - before + h**2 * once + h**4 / 12 * rate(once)
    return {"x": axis, "y": axis, "t": np.linspace(0, 5, times), "u": np.stack(found, axis=2)}


def board(words: dict, size: float = 4.0) -> dict[str, np.ndarray]:
    """u of poisson2d_ms by finite elements on two meshes, the coarser of this edge length away from the corners.

    Where four squares meet u has steep singularities: the claimed error is 1.5e-2, and u differs by 1.6e-3 from that
    with edges twice as long (relative L2). It takes more memory than a run allows a reference, about 2 GB.
    """
    solution = Fem(Problem(**{**words, "reference": "fem"}), size=size, levels=2, max_time=3600, memory=4 * 10**9)
    axis = np.linspace(-10, 10, 41)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    return {"x": axis, "y": axis, "u": solution({"x": x, "y": y})["u"]}


def _values(define: dict[str, str], name: str, points: dict[str, np.ndarray]) -> np.ndarray:
    """A definition at points, by those before it."""
    known: dict = {}
    for key, text in define.items():
        known[key] = expression(str(text), Scope(tuple(points), {}, tuple(known))).subs(
            {symbol(other): value for other, value in known.items()}
        )
    return np.asarray(Program([known[name]])({symbol(axis): values for axis, values in points.items()})[0])


def driven_heat(modes: int = 128, steps: int = 8000, side: int = 33, times: int = 41) -> dict[str, np.ndarray]:
    """The heat equation of heat2d_lt.yaml in the unit square, zero on its sides, to t = 100.

    The right side is odd in x and y where u is, so u is a sum of sines; ETDRK4 in time. From 64 to 96 to 128 modes u
    changes by 4.8e-3 and 3e-4, with half as many steps by 4e-5 (relative L2).
    """
    k = np.pi * np.arange(1, modes + 1)
    inner = np.arange(1, modes + 1) / (modes + 1)
    x, y = np.meshgrid(inner, inner, indexing="ij")
    shape = 5 * np.sin(4 * np.pi * x) * np.sin(2 * np.pi * y)

    def source(t: float, w: np.ndarray) -> np.ndarray:
        u = idstn(w, type=1)
        return dstn(np.sin(u * u) * (shape * (1 + 2 * np.sin(np.pi * t / 4))), type=1)

    start = dstn(np.sin(4 * np.pi * x) * np.sin(3 * np.pi * y), type=1)
    states = _integrated(-0.001 * (k[:, None] ** 2 + k**2), source, start, 100, steps, times)
    axis = np.linspace(0, 1, side)
    basis = np.sin(np.outer(axis, k)) / (modes + 1)
    u = np.stack([basis @ one @ basis.T for one in states], axis=2)
    return _single({"x": axis, "y": axis, "t": np.linspace(0, 100, times), "u": u})


def gray_scott(nodes: int = 384, steps: int = 400, stride: int = 6, times: int = 11) -> dict[str, np.ndarray]:
    """The Gray-Scott equations of gs.yaml on [-1, 1]^2, periodic, to t = 200, by Fourier's method and ETDRK4.

    With 256 nodes v differs by 1.7e-4, with twice as many steps by 3e-6 (relative L2).
    """
    axis = np.linspace(-1, 1, nodes, endpoint=False)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    start = np.stack([1 - np.exp(-80 * ((x + 0.05) ** 2 + (y + 0.02) ** 2)),
                      np.exp(-80 * ((x - 0.05) ** 2 + (y - 0.02) ** 2))])  # fmt: skip
    k, half = np.pi * np.fft.fftfreq(nodes, 1 / nodes), np.pi * np.arange(nodes // 2 + 1)
    squares = k[:, None] ** 2 + half**2
    eigenvalues = np.stack([-1e-5 * squares - 0.04, -5e-6 * squares - 0.1])
    constant = rfftn(np.full((1, nodes, nodes), 0.04), axes=(1, 2))[0]

    def reaction(_: float, w: np.ndarray) -> np.ndarray:
        u, v = irfftn(w, s=(nodes, nodes), axes=(1, 2))
        product = rfftn(u * v * v)
        return np.stack([constant - product, product])

    states = _integrated(eigenvalues, reaction, rfftn(start, axes=(1, 2)), 200, steps, times)
    fields = np.stack([irfftn(w, s=(nodes, nodes), axes=(1, 2)) for w in states], axis=-1)
    fields = np.pad(fields, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="wrap")[:, ::stride, ::stride]
    ends = np.linspace(-1, 1, nodes // stride + 1)
    return _single({"x": ends, "y": ends, "t": np.linspace(0, 200, times), "u": fields[0], "v": fields[1]})


def _integrated(
    eigenvalues: np.ndarray, nonlinear: Callable, w: np.ndarray, end: float, steps: int, times: int
) -> list[np.ndarray]:
    """w' = eigenvalues w + nonlinear(t, w): the states at so many equal times from 0 to the end."""
    h, every = end / steps, steps // (times - 1)
    factors = [np.real(one) for one in coefficients(eigenvalues.astype(complex), h)]
    states = [w]
    for number in range(steps):
        w = step(tuple(factors), nonlinear, number * h, w, h)
        if (number + 1) % every == 0:
            states.append(w)
    return states


def _single(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values in single precision; axes stay as they are."""
    return {name: one if one.ndim == 1 else one.astype(np.float32) for name, one in arrays.items()}
