"""Plausible mistakes with integrals, complex fields, shapes, learned functions and families, and their answers."""

import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem

ROD = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": "u_t = u_xx",
}


@pytest.mark.parametrize(
    ("changed", "key", "answer"),
    [
        # Expressions that YAML split at a comma make one message each, with the text to be written.
        ({"equations": {"heat": "u_t = integral(u", "x)": None}}, "equations.heat", '"u_t = integral(u, x)"'),
        ({"equations": ["u_t = max(u", "0)", "u_x = 0"]}, "equations[1]", '"u_t = max(u, 0)"'),
        ({"exact": {"u": "where(x > 1", 2: None, "3)": None}}, "exact.u", '"where(x > 1, 2, 3)"'),
        ({"define": {"b": "max(x", "t)": None}}, "define.b", '"max(x, t)"'),
        (
            {"conditions": {"ends": {"at": "x = 0", "equations": "u = integral(u", "x)": None, "weight": 2}}},
            "conditions.ends.equations",
            '"u = integral(u, x)"',
        ),
        # Integrals.
        ({"equations": "u_t = int(u, x)"}, "equations", "did you mean 'integral'?"),
        ({"equations": "u_t = integral(u, x=0, 1)"}, "equations", "as in integral(u, x, 0, 1)"),
        ({"equations": "u_t = integral(u, 0, 1, x)"}, "equations", "write integral(f, x), integral(f, x, 0, 1) or"),
        ({"equations": "u_t = lap(u)"}, "equations", "did you mean 'laplacian'?"),
        # Complex fields.
        ({"fields": {"u": "complex"}, "equations": "I*u_t = u_xx"}, "equations", "the imaginary unit is i"),
        ({"fields": {"u": "complex"}, "equations": "1j*u_t = u_xx"}, "equations", "the imaginary unit is i"),
        # Fields and parameters.
        ({"fields": {"u": "positive"}}, "fields.u", "an option has a value, as in u: {positive: true}"),
        ({"fields": {"u": ["x", "t"], "f": ["u"]}, "equations": "u_t = f + f(u=0)"}, "equations",
         "'u' is a field: a place names coordinates alone"),
        ({"parameters": {"k": [0.1, 2]}}, "parameters.k", "{range: [0.1, 2]}"),
        ({"parameters": {"k": [0.1, 2]}}, "parameters.k", "{learn: START, min: 0.1, max: 2}"),
    ],
)  # fmt: skip
def test_one_answer_says_what_to_write(changed, key, answer):
    with pytest.raises(ProblemError) as caught:
        Problem(**(ROD | changed))
    (mistake,) = caught.value.mistakes
    assert (mistake.key, answer in mistake.message) == (key, True), mistake


def test_brackets_that_never_close_are_told_as_such():
    with pytest.raises(ProblemError, match=r"this '\(' is never closed"):
        Problem(**(ROD | {"equations": ["u_t = (u", "u_x = 0"]}))
