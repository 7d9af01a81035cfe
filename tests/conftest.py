"""What tests share: the repository's folders, and small quick runs."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def conf():
    """The shipped configuration folder."""
    return ROOT / "conf"


@pytest.fixture
def heat_words():
    """The heat equation on a rod, with its exact solution."""
    return {
        "name": "heat",
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": ["u"],
        "parameters": {"alpha": 0.1},
        "equations": {"heat": "u_t = alpha * u_xx"},
        "conditions": {
            "initial": {"at": "t = 0", "equations": "u = sin(pi*x)"},
            "ends": {"at": ["x = -1", "x = 1"], "equations": "u = 0"},
        },
        "exact": {"u": "exp(-alpha*pi^2*t) * sin(pi*x)"},
    }


@pytest.fixture
def quick():
    """Settings of a run that takes a second or two."""
    return {
        "network": {"width": 8, "depth": 2},
        "sampling": {"equations": 100, "conditions": 20, "redraw_every": 25},
        "phases": [{"name": "adam", "steps": 20}, {"name": "ssbroyden"}],
        "trainer": {"max_steps": 60},
        "callbacks": {"progress": False, "figures": False, "evaluate_every": 20},
        "logger": {"tensorboard": False},
    }
