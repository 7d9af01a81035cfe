"""What tests share: the repository's folders, small quick runs, engines without a compiler, and a patient clock."""

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sympy.core.cache import clear_cache

ROOT = Path(__file__).resolve().parents[1]
collect_ignore = ["parts"]  # parts that test_parts.py adds to their registries, and no others do


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_session(tmp_path_factory):
    """Tests neither read nor write the user's cache; all that compile share one of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
        yield


@pytest.fixture(scope="module", autouse=True)
def large_libraries_are_no_garbage():
    """Once they are imported, collections of garbage no longer go through them, which took a tenth of the time."""
    if "lightning" in sys.modules and not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A cache folder that this test alone uses; what the compiler keeps stays where it is."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def recorded(monkeypatch):
    """Recorded steps run without a compiler; gives the list of those that would have been compiled."""
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph

    for module in ("evaluator", "jacobian"):
        monkeypatch.setattr(f"pinnkit.engines.{module}.compile_graph", keep)
    return graphs


def assembled(problem, settings=None, network=None):
    """The module of a problem (or of its words) and its first draw of points."""
    from pinnkit.language.errors import Report
    from pinnkit.problem.problem import Problem
    from pinnkit.runs.factory import assemble
    from pinnkit.settings import read_settings

    report = Report()
    read = read_settings(settings or {}, report)
    report.raise_if_any()
    module, data = assemble(problem if isinstance(problem, Problem) else Problem(**problem), read, network)
    data.draw(0)
    return module, data.batches()


def composed(argv, conf=ROOT / "conf"):
    """The configuration that a command line composes, as plain data."""
    from pinnkit.cli.arguments import parse
    from pinnkit.cli.composition import Composer

    arguments = parse(argv)
    return Composer(arguments, conf).compose(arguments.overrides).task


def timed(seconds: float, call: Callable, *arguments: object) -> tuple[float, object]:
    """The processor time of a call, which is less than that, and what it gives.

    A call that takes longer is made again, at most twice and without what sympy remembers of it: a collection of
    garbage may fall into any one call, and into none of three only if they are short.
    """
    for _ in range(3):
        start = time.thread_time()
        found = call(*arguments)
        taken = time.thread_time() - start
        if taken < seconds:
            return taken, found
        clear_cache()
    raise AssertionError(f"{taken:.2f} s of processor time, thrice more than {seconds:g}")


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
