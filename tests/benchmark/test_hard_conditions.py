"""The table of errors with and without hard conditions."""

from benchmark.hard_conditions import HEADER, benchmark, hardened
from tests.conftest import ROOT


def test_each_problem_has_a_row_with_both_errors(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{HEADER}| old | 1 | 2 | 3 | 4 | 5 |\n\nWords.\n")
    assert benchmark(["--steps", "3", "--page", str(page), "ode/oscillator"], ROOT) == 0
    text = page.read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| oscillator | 3 | ")]
    assert row in capsys.readouterr().out
    assert text.replace(f"{row}\n", "") == f"# Page\n\n{HEADER}\nWords.\n"
    soft, hard = map(float, row.split("|")[3:5])
    assert 0 < hard != soft > 0


def test_every_condition_is_made_hard_and_loses_its_weight():
    given = {"fields": ["u"], "conditions": {"rim": {"at": "boundary", "equations": "u = 0", "weight": 100}}}
    rim = {"at": "boundary", "equations": "u = 0", "hard": True}
    assert hardened(given) == {"fields": ["u"], "conditions": {"rim": rim}}
