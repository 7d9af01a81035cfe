"""Random numbers without a hidden state."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, stream: str, draw: int) -> np.random.Generator:
    """A counter-based generator (Philox) keyed by (seed, stream, draw)."""
    key = np.random.SeedSequence([seed, zlib.crc32(stream.encode()), draw])
    return np.random.Generator(np.random.Philox(key))
