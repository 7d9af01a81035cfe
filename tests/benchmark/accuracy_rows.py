"""Made-up rows of the accuracy benchmark."""

from benchmark.accuracy_run import Run
from tests.conftest import ROOT

SCRIPTS = ROOT / "scripts"


def made_up(problem="burgers", seed=0, seconds=180, error=None, curve=(), **more):
    """A row as a run leaves it; the error is the curve's last, where it is not given."""
    points = [list(point) for point in curve]
    row = {**Run(problem, "auto", seed, seconds).words(), "status": "finished", "reason": "the time is over"}
    row |= {"measured": "relative L2 of u", "error": points[-1][1] if points and error is None else error}
    row |= {"steps": 100 + seed, "evaluations": 250, "train_time_s": 180.0, "optimizers": ["adam", "ssbroyden"]}
    row |= {"curve": points, "versions": {"torch": "2"}, "machine": "1 CPU", "date": "2026-01-31", "commit": "abc"}
    return {**row, **more}
