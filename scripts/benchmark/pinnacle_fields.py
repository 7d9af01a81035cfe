"""The smooth random fields of three of PINNacle's problems, as expressions of their files.

PINNacle's own tables of them are not available. Each field is a sum of Fourier modes of the lowest wave numbers whose
amplitudes are normal with a standard deviation of 1/|k|^2, as those of PINNacle are, from a seed.
"""

from __future__ import annotations

import numpy as np

SEED = 0


def heat_field() -> str:
    """The logarithm of heat2d_vc's diffusivity: a periodic field of standard deviation 1 on the unit square."""
    rng = np.random.default_rng(SEED)
    waves = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (2, -1), (1, 2), (1, -2)])
    amplitudes = np.abs(rng.standard_normal(len(waves))) / (waves**2).sum(axis=1)
    amplitudes *= np.sqrt(2 / (amplitudes**2).sum())
    phases = rng.uniform(0, 2, len(waves))
    parts = [
        f"{a:.3f}*cos(pi*({_sum((2 * i, 'x'), (2 * j, 'y'))} + {phase:.3f}))"
        for a, (i, j), phase in zip(amplitudes, waves, phases, strict=True)
    ]
    return " + ".join(parts)


def wave_field() -> str:
    """The field of wave2d_cg's coefficient: cosines, whose normal derivatives are zero on the sides of [-1, 1]^2."""
    rng = np.random.default_rng(SEED + 1)
    waves = np.array([(i, j) for i in range(4) for j in range(4) if 0 < i * i + j * j <= 9])
    amplitudes = rng.standard_normal(len(waves)) / (waves**2).sum(axis=1)
    amplitudes *= np.sqrt(4 / (amplitudes**2).sum())
    parts = []
    for a, wave in zip(amplitudes, waves, strict=True):
        factors = [f"cos({_times(k, 'pi')}*({name} + 1)/2)" for k, name in zip(wave, "xy", strict=True) if k]
        parts.append("*".join([f"{a:.3f}", *factors]))
    return _joined(parts)


def burgers_fields(largest: float = 0.5) -> tuple[str, str]:
    """The starts of burgers2d's u and v, of period 4: waves of at most `largest` on a mean wind of the same size."""
    rng = np.random.default_rng(SEED + 2)
    return _start(rng, largest), _start(rng, largest)


def _start(rng: np.random.Generator, largest: float) -> str:
    waves = [(i, j) for i in range(3) for j in range(3) if i + j]
    sines, cosines = rng.standard_normal((2, len(waves))) / np.array([i * i + j * j for i, j in waves])
    axis = np.linspace(0, 4, 128, endpoint=False)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    angles = [np.pi / 2 * (i * x + j * y) for i, j in waves]
    field = sum(s * np.sin(one) + c * np.cos(one) for s, c, one in zip(sines, cosines, angles, strict=True))
    factor = largest / np.abs(field).max()
    parts = [f"{largest * rng.standard_normal():.3f}"]
    for s, c, (i, j) in zip(sines, cosines, waves, strict=True):
        total = _sum((i, "x"), (j, "y"))
        angle = f"pi*({total})/2" if i and j else f"pi*{total}/2"
        parts += [f"{factor * s:.3f}*sin({angle})", f"{factor * c:.3f}*cos({angle})"]
    return _joined(parts)


def _sum(*terms: tuple[int, str]) -> str:
    return _joined([_times(k, name) for k, name in terms if k])


def _times(k: int, name: str) -> str:
    return name if k == 1 else f"{k}*{name}"


def _joined(parts: list[str]) -> str:
    return " + ".join(parts).replace("+ -", "- ")
