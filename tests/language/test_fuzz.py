"""Random expressions and mutated equations are accepted or refused within a second."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, assignment, constant, equation, expression, inequality
from tests.conftest import timed

PDE = Path(__file__).resolve().parents[2] / "conf" / "pde"
EXAMPLES = 500 * int(os.environ.get("PINNKIT_FUZZ", "1"))
SECONDS = 1.0
"""Processor time within which each reader answers."""

XYT = ("x", "y", "t")
SCOPE = Scope(XYT, {"u": XYT, "v": XYT, "k": ("x",)}, ("alpha", "nu"), ("S",), boundary=True, space=("x", "y"))
READERS = {
    "equation": (equation, SCOPE),
    "expression": (expression, SCOPE),
    "assignment": (assignment, SCOPE),
    "inequality": (inequality, SCOPE),
    "constant": (constant,),
}
HARD = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)

NAMES = ("x", "y", "t", "u", "v", "k", "alpha", "nu", "S", "pi", "e", "u_x", "u_xx", "v_xyt", "u_n", "n_x", "k_x")
NUMBERS = ("0", "1", "2", "-1", "0.5", "1/3", "7", "100", "1e-300", "1e300", "1e999", "9" * 40, "9" * 60, ".5", "3.")
UNARY = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "log10", "sqrt", "abs", "sign",
    "sigmoid", "heaviside", "erf", "laplacian", "no_such",
)  # fmt: skip
BINARY = ("+", "-", "*", "/", "^", "**", "*", "+", "//", "%", "@", "=", "<")
ODD = (
    "__class__", "__import__", "().__class__", "lambda x: x", "x if x else y", "os.system('a')", "[x]", "{x}", "'x'",
    '"', "\\", "\n", "\t", "\x00", "\u00b2", "\u03c0", "\u202e", "\U0001f600", "\ud800", "x" * 200, "u_" + "x" * 60,
    "(" * 50, ")" * 50, "-" * 70, "9" * 300, "**9" * 6, "diff(", "u(x=", "where(", "max(", "and", "not", ";", "#", "$",
    "not " * 40, "^x" * 30, "1e", "0x1f", "1_000", "\u2212", "==", ":=", "exp(" * 30, "sqrt(" * 40, "inf", "nan", "I",
)  # fmt: skip


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(BINARY[:8]), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, st.sampled_from(BINARY), inner).map("".join),
        st.tuples(st.sampled_from(UNARY), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.tuples(inner, st.sampled_from(XYT), st.integers(0, 4)).map(lambda p: f"diff({p[0]}, {p[1]}, {p[2]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"where({p[0]} < {p[1]}, {p[2]}, {p[0]})"),
        st.tuples(st.sampled_from(("max", "min", "dot", "atan2")), inner, inner).map(
            lambda p: f"{p[0]}({p[1]}, {p[2]})"
        ),
        st.tuples(st.sampled_from(("grad", "div", "curl", "-", "not ")), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from("uvk"), st.sampled_from(XYT), inner).map(lambda p: f"{p[0]}({p[1]}={p[2]})"),
    )


GROWN = st.recursive(st.sampled_from(NAMES + NUMBERS), _grown, max_leaves=30)
WRITTEN = st.one_of(GROWN, st.tuples(GROWN, GROWN).map(" = ".join))


def _texts(words: object) -> list[str]:
    """Every text of a problem file."""
    parts = words.values() if isinstance(words, dict) else words if isinstance(words, list) else ()
    return [words] if isinstance(words, str) else [text for part in parts for text in _texts(part)]


SHIPPED = [text for path in sorted(PDE.glob("*/*.yaml")) for text in _texts(yaml.safe_load(path.read_text()))]
TOKENS = (*NAMES, *NUMBERS, *BINARY, *(f"{name}(" for name in UNARY), "(", ")", ",", " ", *ODD)


def mutated(text: str, seed: int) -> str:
    """The text after one to six insertions, deletions, replacements and repetitions of characters and tokens."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        place, length = chance.randrange(len(text) + 1), chance.choice((0, 1, 1, 2, 5, 20))
        new = chance.choice(
            (chance.choice(TOKENS), chr(chance.randrange(32, 0x3000)), "", text[place : place + 20] * 3)
        )
        text = text[:place] + new + text[place + length :]
    return text


MUTATED = st.builds(mutated, st.one_of(st.sampled_from(SHIPPED), WRITTEN), st.integers(0, 2**62))


def refusal(read: Callable, *arguments: object) -> LanguageError | None:
    """What a reader says against a text; None where it accepts it. Other exceptions pass."""
    try:
        found = read(*arguments)
        if len(arguments) > 1:
            Program([found[1] if isinstance(found, tuple) else found])
    except LanguageError as error:
        return error
    return None


def test_a_random_expression_is_accepted_or_refused_within_a_second():
    counts: Counter[str] = Counter()
    slowest = (0.0, "")

    @HARD
    @given(st.one_of(WRITTEN, MUTATED, MUTATED))
    def answer(text: str) -> None:
        nonlocal slowest
        for name, (read, *scope) in READERS.items():
            taken, error = timed(SECONDS, refusal, read, text, *scope)
            slowest = max(slowest, (taken, text))
            counts[f"{name} {'refused' if error else 'accepted'}"] += 1
            if error is not None:
                assert error.message
                assert len(str(error)) < 1000
                assert error.position is None or 0 <= error.position <= len(text)

    answer()
    print(f"\n{dict(counts)}, slowest {slowest[0]:.2f} s: {slowest[1][:200]!r}")
    assert counts["equation accepted"] > EXAMPLES // 20
    assert counts["equation refused"] > EXAMPLES // 20
