from __future__ import annotations

import pytest

from pinnkit.language.errors import LanguageError, Mistake, ProblemError, Report, nearest, suggestion


def test_a_mistake_prints_key_and_caret():
    message = "unknown name 'alhpa'; did you mean 'alpha'?"
    mistake = Mistake("equations.heat", message, "u_t = alhpa * u_xx", 6)
    assert str(mistake) == (
        "equations.heat: unknown name 'alhpa'; did you mean 'alpha'?\n    u_t = alhpa * u_xx\n          ^"
    )


@pytest.mark.parametrize("position", [0, 3, 60, 500, 995, 999])
def test_a_long_text_is_cut_to_a_window_with_the_caret_on_the_same_character(position):
    text = "".join(chr(ord("a") + i % 26) for i in range(1000))
    _, shown, caret = str(LanguageError("wrong", text, position)).splitlines()
    assert len(shown) <= 112
    assert shown[caret.index("^")] == text[position]


def test_a_caret_behind_the_end_stays_there():
    _, shown, caret = str(LanguageError("ends", "x +", 3)).splitlines()
    assert len(caret) == len(shown) + 1


def test_newlines_do_not_move_the_caret():
    _, shown, caret = str(LanguageError("wrong", "x\n+ y", 4)).splitlines()
    assert shown[caret.index("^")] == "y"


def test_a_report_collects_language_errors_and_lets_others_pass():
    report = Report()
    with report.at("a"):
        raise LanguageError("first", "x", 0)
    report.add("b", "second")
    report.warn("c", "third")
    with pytest.raises(ZeroDivisionError), report.at("d"):
        raise ZeroDivisionError
    assert report.mistakes == [Mistake("a", "first", "x", 0), Mistake("b", "second")]
    assert [str(one) for one in report.warnings] == ["c: third"]
    with pytest.raises(ProblemError) as caught:
        report.raise_if_any()
    assert caught.value.mistakes == tuple(report.mistakes)
    assert str(caught.value) == "a: first\n    x\n    ^\nb: second"


def test_a_report_of_warnings_raises_nothing():
    report = Report()
    report.warn("a", "odd")
    report.raise_if_any()


@pytest.mark.parametrize(
    ("name", "valid", "expected"),
    [
        ("alhpa", ["beta", "alpha"], "alpha"),
        ("re", ["Re", "rho"], "Re"),
        ("Viscosty", ["viscosity"], "viscosity"),
        ("VISCOSTY", ["Viscosity"], "Viscosity"),
        ("q", ["alpha"], None),
        ("q", [], None),
    ],
)
def test_nearest(name, valid, expected):
    assert nearest(name, valid) == expected


def test_a_suggestion_of_many_names_is_bounded():
    names = [f"name{i}" for i in range(1000)]
    assert len(suggestion("?", names)) < 120
    assert "1000 in all" in suggestion("?", names)
