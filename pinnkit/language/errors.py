"""Errors in a user's text: position, suggestion, and a report of all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

SHOWN = 100  # characters of the text that are shown around a caret
LISTED = 8  # names that a suggestion lists at most


class LanguageError(ValueError):
    """One mistake in one text.

    `message` says what is wrong, `text` is the text as the user wrote it, and `position` is the 0-based
    column in it (None where the mistake has no place).

    >>> print(LanguageError("unknown name 'y'", "x + y", 4))
    unknown name 'y'
        x + y
            ^
    """

    def __init__(self, message: str, text: str = "", position: int | None = None):
        super().__init__(message, text, position)
        self.message = message
        self.text = text
        self.position = position

    def __str__(self) -> str:
        return printable(self.message) + pointed(self.text, self.position)


@dataclass(frozen=True)
class Mistake:
    """A mistake together with the key under which it was found, such as `equations.heat`."""

    key: str
    message: str
    text: str = ""
    position: int | None = None

    def __str__(self) -> str:
        message = printable(self.message)
        head = f"{printable(self.key, '')}: {message}" if self.key else message
        return head + pointed(self.text, self.position)


class ProblemError(ValueError):
    """All mistakes of a problem, in `mistakes`; str() lists them."""

    def __init__(self, mistakes: Iterable[Mistake]):
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


class Report:
    """Collects mistakes, to report all of them at once."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []

    def add(self, key: str, message: str, text: str = "", position: int | None = None) -> None:
        self.mistakes.append(Mistake(key, message, text, position))

    def warn(self, key: str, message: str) -> None:
        self.warnings.append(Mistake(key, message))

    @contextmanager
    def at(self, key: str) -> Iterator[None]:
        """Turn a LanguageError raised inside into a mistake at `key`; other exceptions pass."""
        try:
            yield
        except LanguageError as error:
            self.add(key, error.message, error.text, error.position)

    def raise_if_any(self) -> None:
        """Raise ProblemError if there are mistakes."""
        if self.mistakes:
            raise ProblemError(self.mistakes)


def printable(text: str, kept: str = "\n\t") -> str:
    """The text with control characters, also those of writing direction, as escape sequences.

    >>> printable("red" + chr(27) + "[31m")
    'red\\\\x1b[31m'
    """
    return "".join(
        one if one.isprintable() or one in kept else one.encode("unicode_escape").decode("ascii") for one in text
    )


VERY_CLOSE = 0.8
"""Similarity (0 to 1) from which on a name comes before those that another one begins."""


def nearest(name: str, valid: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """The valid name that `name` was probably meant to be, or None.

    A beginning of one name alone stands for it; a single letter is like no other.

    Args:
        synonyms: names used elsewhere, in lower case, and the valid ones that mean the same.

    >>> nearest("alhpa", ["alpha", "beta"]), nearest("RE", ["Re"]), nearest("q", ["alpha"]), nearest("L", ["ln"])
    ('alpha', 'Re', None, None)
    >>> nearest("int", ["sin", "integral"]), nearest("arctan", ["sin", "atan"], {"arctan": "atan"})
    ('integral', 'atan')
    >>> nearest("figures_", ["figures", "figures_every"])
    'figures'
    """
    names = list(dict.fromkeys(valid))
    if (same := (synonyms or {}).get(name.lower())) in names:
        return same
    lowered = {other.lower(): other for other in reversed(names)}
    name = name[:SHOWN]
    if name.lower() in lowered:
        return lowered[name.lower()]
    if len(name) < 2:
        return None
    if very_close := difflib.get_close_matches(name, names, 1, VERY_CLOSE):
        return very_close[0]
    longer = [other for other in lowered if other.startswith(name.lower())] if len(name) > 2 else []
    if len(longer) == 1:
        return lowered[longer[0]]
    close = difflib.get_close_matches(name, names, 1) or difflib.get_close_matches(name.lower(), lowered, 1)
    return lowered.get(close[0].lower(), close[0]) if close and close[0] not in names else (close[0] if close else None)


def suggestion(name: str, valid: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str:
    """What to append to a message about an unknown name; `synonyms` as those of `nearest`.

    >>> suggestion("alhpa", ["alpha", "beta"]), suggestion("q", ["alpha", "beta"]), suggestion("q", [])
    ("; did you mean 'alpha'?", '; valid are alpha, beta', '')
    """
    names = list(dict.fromkeys(valid))
    near = nearest(name, names, synonyms)
    if near is not None:
        return f"; did you mean '{near}'?"
    if not names:
        return ""
    more = f", ... ({len(names)} in all)" if len(names) > LISTED else ""
    return f"; valid are {', '.join(names[:LISTED])}{more}"


def pointed(text: str, position: int | None) -> str:
    """The lines that show `text` with a caret below `position`; a long text is cut to a window around it."""
    if not text or position is None:
        return ""
    shown = "".join(character if character.isprintable() else " " for character in text)
    position = min(max(position, 0), len(shown))
    start = max(0, min(position - SHOWN // 2, len(shown) - SHOWN))
    before, after = "..." if start else "", "..." if start + SHOWN < len(shown) else ""
    window = before + shown[start : start + SHOWN] + after
    return f"\n    {window}\n    {' ' * (len(before) + position - start)}^"
