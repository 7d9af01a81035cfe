"""The page of the language: words, functions, places, shapes, and the messages about mistakes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from documentation import words
from documentation.markdown import block, code, table
from documentation.mistakes import COMPLEX, GROUPS, REAL
from documentation.problem_mistakes import BASE, MISTAKES, PLANE, PLANE_MISTAKES, answers
from documentation.settings import first_paragraph
from pinnkit.domains.registry import SHAPES
from pinnkit.language import grammar
from pinnkit.language.errors import LanguageError
from pinnkit.language.functions import FUNCTIONS, SHADOWED, SYNONYMS

HEAD = """\
# The language of problems

A problem is a mapping of these words, in a YAML file or in Python (`pinnkit.Problem(...)`). Nothing in it is ever
executed. YAML takes a comma inside `{...}` and `[...]` for a separator: quote an expression that has one.

`python scripts/make_documentation.py` makes this page from the code; every message on it is what the code answers.
"""
SHOWN = 60
"""Characters of an example of a mistake that are shown."""


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD, "## Keys of a problem file", _words(words.KEYS)]
    for title, found in [
        ("Keys of an equation", words.EQUATION),
        ("Keys of a condition", words.CONDITION),
        ("Keys of a field", words.FIELD),
        ("Keys of a parameter", words.PARAMETER),
        ("Keys of a table", words.TABLE),
    ]:
        parts += [f"### {title}", _words(found)]
    parts += ["## Places", "What `at` may say:", table(("place", "where that is"), _coded(words.PLACES))]
    parts += ["## Shapes", _shapes()]
    parts += ["## Operators and names", table(("written", "what it is"), _coded(words.OPERATORS))]
    parts += ["## Functions", _functions(), f"Names from elsewhere that are answered with the one here: {_synonyms()}."]
    parts += ["## Messages about expressions", _names(), *(_messages(group) for group in GROUPS)]
    parts += ["## Messages about problem files", _problem_messages()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _words(found: Mapping[str, tuple[str, str]]) -> str:
    rows = [(code(key), meaning, code(example)) for key, (meaning, example) in found.items()]
    return table(("key", "what it says", "example"), rows)


def _coded(found: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(code(key), meaning) for key, meaning in found.items()]


def _functions() -> str:
    rows = []
    for name, text in FUNCTIONS.items():
        form, _, meaning = text.partition(": ")
        example = words.EXPRESSIONS[name]
        scope = COMPLEX if name in SHADOWED else REAL
        rows.append((code(form), meaning, code(example), code(str(grammar.expression(example, scope)))))
    return table(("function", "what it is", "example", "read as"), rows)


def _synonyms() -> str:
    return ", ".join(f"`{other}` (`{name}`)" for other, name in sorted(SYNONYMS.items()))


def _shapes() -> str:
    rows = []
    for name, (meaning, example) in words.SHAPE_TEXTS.items():
        rows.append((code(name), meaning, code(f"{{{name}: {example}}}")))
    for name, shape in SHAPES.items():
        if name in words.SHAPE_TEXTS:
            continue
        settings = [one for one in inspect.signature(shape).parameters if one != "names"]
        example = ", ".join(f"{one}: {_written(shape.example[one])}" for one in settings)
        rows.append((code(name), first_paragraph(shape).replace("|", "\\|"), code(f"{{{name}: {{{example}}}}}")))
    return table(("shape", "what it is", "example"), rows)


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return value if isinstance(value, str) else f"{value:g}"


def _names() -> str:
    return (
        "The examples use coordinates `x`, `y` and `t`, fields `u`, `v` and `k` (of x alone), a complex field `h`, "
        "a table `q`, a parameter `alpha`, a column `S` of data, and a shape `hole`, but where the title says "
        "something else."
    )


def _messages(group: Any) -> str:
    rows = [(_example(text), code(message_of(group, text)), remedy) for text, remedy in group.mistakes]
    return f"### {group.title}\n\n{table(('written', 'message', 'what to do'), rows)}"


def message_of(group: Any, text: Any) -> str:
    """The message with which a text is answered.

    Raises ValueError where it is no mistake.
    """
    try:
        group.read(text, group.scope)
    except LanguageError as error:
        return error.message
    raise ValueError(f"{group.title}: {text!r} is no mistake")


def _example(text: Any) -> str:
    """A text as it is shown in a table: cut where it is long."""
    shown = str(text) if text is not None else "null"
    shown = shown.encode("unicode_escape").decode() if not shown.isprintable() else shown
    return code(f"{shown[:SHOWN]} ...") if len(shown) > SHOWN else (code(shown) if shown else "nothing")


def _problem_messages() -> str:
    parts = []
    for base, mistakes in ((BASE, MISTAKES), (PLANE, PLANE_MISTAKES)):
        rows = [(code(line), "<br>".join(map(code, answers(line, base))), remedy) for line, remedy in mistakes]
        parts += [
            "Each line changes this problem:",
            block(base, "text"),
            table(("written", "message", "what to do"), rows),
        ]
    return "\n\n".join(parts)
