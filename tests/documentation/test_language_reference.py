"""The page of the language has every word, function and message of the code."""

from __future__ import annotations

import re

import pytest

from documentation import words
from documentation.language import message_of
from documentation.mistakes import GROUPS, GUARDS
from documentation.problem_mistakes import BASE, MISTAKES, PLANE, PLANE_MISTAKES, answers
from documentation.templates import templates
from pinnkit.language.functions import FUNCTIONS
from pinnkit.problem import conditions, equations, field_options, read, shapes, table_functions
from pinnkit.problem.bounds import BOUNDS


@pytest.mark.parametrize(
    ("documented", "read"),
    [
        (words.KEYS, read.KEYS),
        (words.CONDITION, conditions.KEYS),
        (words.EQUATION, (*equations.WEIGHTED, equations.REGION)),
        (words.FIELD, field_options.OPTIONS),
        (words.PARAMETER, ("learn", *BOUNDS, "range", "log")),
        (words.TABLE, table_functions.KEYS),
        (words.SHAPE_TEXTS, shapes.TEXTS),
        (words.EXPRESSIONS, FUNCTIONS),
    ],
    ids=["problem", "condition", "equation", "field", "parameter", "table", "shape", "functions"],
)
def test_every_word_has_a_line_and_no_line_is_of_another(documented, read):
    assert set(documented) == set(read)


@pytest.mark.parametrize("name", words.EXPRESSIONS)
def test_an_example_holds_its_function(name):
    assert f"{name}(" in words.EXPRESSIONS[name]


def test_every_message_about_an_expression_has_an_example():
    """The messages are those that the code of the language raises; a new one needs a text that brings it about."""
    given = [message_of(group, text) for group in GROUPS for text, _ in group.mistakes]
    missing = {
        pattern: place
        for pattern, place in templates().items()
        if not any(re.fullmatch(pattern, message, re.DOTALL) for message in given)
        and not any(re.search(guard, pattern.replace("\\", "")) for guard in map(str, GUARDS))
    }
    assert missing == {}, "add a text to scripts/documentation/mistakes.py"


def test_a_guard_stands_in_the_code():
    patterns = [pattern.replace("\\", "") for pattern in templates()]
    assert [guard for guard in GUARDS if not any(guard.replace("\\", "") in pattern for pattern in patterns)] == []


def test_patterns_of_messages_are_found_in_code(tmp_path):
    (tmp_path / "one.py").write_text(
        "def f(name, hint):\n"
        "    rule = f'the most is {MOST}' if hint else 'nothing more'\n"
        "    raise LanguageError(rule, name)\n"
        "def g(self):\n"
        "    raise self._mistake(f\"unknown name '{self}'\", None)\n"
    )
    assert templates(tmp_path) == {
        r"the\ most\ is\ .*": "one.py:3",
        r"nothing\ more": "one.py:3",
        r"unknown\ name\ '.*'": "one.py:5",
    }


@pytest.mark.parametrize(("base", "lines"), [(BASE, MISTAKES), (PLANE, PLANE_MISTAKES)], ids=["rod", "plane"])
def test_every_line_of_a_problem_file_is_a_mistake(base, lines):
    assert answers("name: right", base) == []
    keys = [line.partition(":")[0] for line, _ in lines]
    for line, key in zip((line for line, _ in lines), keys, strict=True):
        assert any(re.match(rf"{key}\b", answer) for answer in answers(line, base)), line
