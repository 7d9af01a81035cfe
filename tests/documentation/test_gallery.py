"""The page that scripts/make_gallery.py makes."""

from make_gallery import TITLES, command, entry, page
from pinnkit.runs import shipped

METRICS = {
    "relative_l2": {"u": 1.54e-7, "v": 2e-3},
    "learned": {"alpha": {"value": 0.10012, "exact": 0.1}},
    "train_time_s": 30.2,
    "steps": 1923,
    "verdict": "solved",
    "overrides": [
        "pde=heat", "experiment=quick", "trainer.max_time=30", "logger=none", "hydra.run.dir=x", "overwrite=true",
    ],
}  # fmt: skip


def test_an_entry_has_the_error_the_time_and_the_command_of_its_run():
    assert command("heat", METRICS) == "pinnkit train pde=heat experiment=quick trainer.max_time=30"
    text = entry("heat", "A rod.", METRICS)
    assert "![heat](images/gallery/heat.png)" in text
    assert "error: u 1.5e-07, v 2.0e-03; learned: alpha = 0.1001 (exact 0.1); 30 s, 1923 steps; verdict: solved" in text
    assert "not solved" not in text


def test_large_errors_and_unsolved_runs_are_named():
    assert "**not solved yet**" in entry("heat", "A rod.", {**METRICS, "relative_l2": {"u": 1e-3, "v": 0.1}})
    assert "**not solved yet**" in entry("heat", "A rod.", {**METRICS, "verdict": "unsolved"})


def test_every_shipped_problem_is_there_with_or_without_a_run():
    text = page({"heat": METRICS})
    for name, path in shipped.problems().items():
        assert path.parent.name in TITLES
        assert f"### {name}\n" in text
        assert f"`pinnkit train pde={name}" in text
    assert text.count("![") == 1
