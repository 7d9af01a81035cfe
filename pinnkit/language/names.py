"""Resolution of names: coordinates, fields and their derivatives, parameters, columns, constants, normals."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import sympy

from pinnkit.language.errors import LanguageError, suggestion
from pinnkit.language.functions import FUNCTIONS, SHADOWED
from pinnkit.language.known import Known
from pinnkit.language.partial import MAX_ORDER, Partial, normal_derivative, normal_symbol, symbol

CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
MAX_NAME = 60
_LISTED_READINGS = 6
_MANY_READINGS = 64


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use.

    `fields` maps a field to the coordinates it depends on; `columns` are columns of data; `boundary` says
    that the outward normal (u_n, n_x, n_y, ...) has a meaning. `ranges` of coordinates and parameters, where they are
    known, tell whether what is differentiated jumps in the domain. Laplacian, grad, div, curl and the normal act on the
    coordinates in `space`; None: on all. An integral may be over the `regions` in space, and the `rims`, parts of their
    boundaries. `definitions` are names of expressions in coordinates and parameters, `tables` of known functions of
    coordinates. `complex` maps the names of complex fields and columns, which stand among these too, to those of their
    real and imaginary parts; where it has any, `i` is the imaginary unit. `parts` maps a field that has a function
    in each part of the domain to the names of these parts; u.left is then a field too.
    """

    coordinates: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    boundary: bool = False
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    space: tuple[str, ...] = None  # type: ignore[assignment]  # set below
    regions: tuple[str, ...] = ()
    rims: tuple[str, ...] = ()
    complex: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    definitions: Mapping[str, sympy.Expr] = field(default_factory=dict)
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: Mapping[str, Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.space is None:
            object.__setattr__(self, "space", self.coordinates)

    @property
    def declared(self) -> tuple[str, ...]:
        known = (*self.columns, *self.definitions, *self.tables)
        return tuple(dict.fromkeys((*self.coordinates, *self.fields, *self.parameters, *known)))


def check_name(name: str, taken: Iterable[str] = ()) -> None:
    """Raise LanguageError unless `name` can be declared: a plain identifier that means nothing else.

    >>> check_name("alpha")
    """
    rule = "a name is a letter, then letters, digits or single underscores"
    if not isinstance(name, str):
        raise LanguageError(f"a name must be text, not {name!r}; {rule}")
    if len(name) > MAX_NAME:
        raise LanguageError(f"the name has {len(name)} characters; the most is {MAX_NAME}", name, MAX_NAME)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or "__" in name:
        raise LanguageError(f"{name!a} is not a name: {rule}")
    if keyword.iskeyword(name):
        raise LanguageError(f"'{name}' is a word of Python and cannot be a name; write {name}_")
    if name in FUNCTIONS and name not in SHADOWED:
        raise LanguageError(f"'{name}' is a function and cannot be a name")
    if name == "pi":
        raise LanguageError("'pi' is the constant and cannot be a name")
    if name in taken:
        raise LanguageError(f"'{name}' is declared twice")


def meaning(name: str, scope: Scope) -> str:
    """A description of what an undeclared name means in `scope`; an empty text if it means nothing.

    >>> scope = Scope(("x", "t"), {"u": ("x", "t")})
    >>> meaning("u_xt", scope), meaning("n_x", scope), meaning("u_max", scope)
    ('the derivative of u by x, t', "the outward normal's component along x", '')
    """
    if name.startswith("n_") and name[2:] in scope.coordinates:
        return f"the outward normal's component along {name[2:]}"
    for base in (*scope.fields, *scope.tables):
        if name.startswith(f"{base}_"):
            try:
                found = _derivative(name, base, name[len(base) + 1 :], replace(scope, boundary=True))
            except LanguageError:
                continue
            by = ", ".join(found.derivative) if isinstance(found, Partial | Known) else "the outward normal"
            return f"the derivative of {base} by {by}"
    return ""


def resolve(name: str, scope: Scope) -> sympy.Expr:
    """The expression that `name` stands for; declared names come first, then constants, derivatives, normals.

    Raises LanguageError where it stands for nothing, or for several things.
    """
    if name in scope.coordinates or name in scope.parameters or name in scope.columns:
        return symbol(name)
    if name in scope.definitions:
        return scope.definitions[name]
    if name in scope.fields or name in scope.tables:
        return _function(name, scope)
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name == "i" and scope.complex:
        return sympy.I
    functions = (*scope.fields, *scope.tables)
    candidates = [name[:cut] for cut in range(len(name) - 1, 0, -1) if name[cut] == "_" and name[:cut] in functions]
    failure: LanguageError | None = None
    for candidate in candidates:  # the longest first
        try:
            return _derivative(name, candidate, name[len(candidate) + 1 :], scope)
        except LanguageError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    if "." in name:
        raise LanguageError(_unknown_part(name, scope))
    if name.startswith("n_") and name[2:] in scope.space:
        _need_boundary(name, scope)
        return normal_symbol(name[2:])
    if name in FUNCTIONS:
        raise LanguageError(f"'{name}' is a function: write {FUNCTIONS[name].split(':')[0]}")
    normals = [f"n_{one}" for one in scope.space] if scope.boundary and name.startswith("n_") else []
    known = (*normals, *scope.declared, *CONSTANTS)
    near = suggestion(name, (*known, *FUNCTIONS))
    if name in ("I", "j", "J") and scope.complex and "i" not in scope.declared:
        raise LanguageError(f"unknown name '{name}'; the imaginary unit is i")
    if name == "i":
        near = "; it is the imaginary unit where a field is complex, as in fields: {h: complex}"
        raise LanguageError(f"unknown name '{name}'{near}")
    raise LanguageError(f"unknown name '{name}'{near if 'did you mean' in near else suggestion(name, known)}")


def _unknown_part(name: str, scope: Scope) -> str:
    """What is wrong with u.NAME, where that is no field."""
    base, _, rest = name.partition(".")
    if base not in scope.parts:
        example = f"fields: {{{base}: {{parts: [left, right]}}}}"
        return f"attributes are not allowed: '{base}' has no parts, as {example} would give it"
    return f"'{name}': {base} has no part '{rest}'{suggestion(rest, scope.parts[base])}"


def halves(expr: sympy.Expr, scope: Scope) -> tuple[sympy.Expr, sympy.Expr]:
    """Real and imaginary part of what a name stands for.

    >>> scope = Scope(("x",), {"h": ("x",), "h_re": ("x",), "h_im": ("x",)}, complex={"h": ("h_re", "h_im")})
    >>> halves(resolve("h_x", scope), scope)
    (h_re_x, h_im_x)
    """
    if expr == sympy.I:
        return sympy.S.Zero, sympy.S.One
    found = {}
    for atom in expr.atoms(Partial, sympy.Symbol):
        name = atom.field if isinstance(atom, Partial) else str(atom)
        if name in scope.complex:
            found[atom] = [_named(atom, part) for part in scope.complex[name]]
    if not found:
        return expr, sympy.S.Zero
    return tuple(expr.xreplace({atom: pair[part] for atom, pair in found.items()}) for part in (0, 1))


def _named(atom: Partial | sympy.Symbol, name: str) -> Partial | sympy.Symbol:
    return Partial(name, atom.coordinates, atom.derivative, atom.at) if isinstance(atom, Partial) else symbol(name)


def _need_boundary(name: str, scope: Scope) -> None:
    if not scope.boundary:
        raise LanguageError(
            f"'{name}' uses the outward normal, which exists only in a condition on a boundary, or in an "
            "integral over one: corners, points and lines inside and times have none"
        )


def _function(name: str, scope: Scope) -> Partial | Known:
    """A field, or a known function."""
    return Partial(name, scope.fields[name]) if name in scope.fields else scope.tables[name]


def _derivative(name: str, base: str, subscript: str, scope: Scope) -> sympy.Expr:
    whole = _function(base, scope)
    space = [one for one in whole.coordinates if one in scope.space]
    if subscript == "n" and "n" not in scope.coordinates:
        if other := next((one for one in space if one.startswith("n")), None):
            meant = f"the outward normal derivative | {base} by {other}"
            raise LanguageError(f"'{name}' has several readings: {meant}; write {base}_{other}, or another name")
        _need_boundary(name, scope)
        if not space:
            raise LanguageError(f"'{name}': {base} depends on no spatial coordinate")
        return normal_derivative(whole, space)
    longest = max(map(len, scope.coordinates), default=1)
    if len(subscript) > MAX_ORDER * longest:
        raise LanguageError(f"'{name}' is a derivative of an order beyond {MAX_ORDER}, the highest")
    readings, reached = _readings(name, subscript, {one: (one,) for one in scope.coordinates})
    if not readings:
        readings, further = _readings(name, subscript, _beginnings(scope.coordinates))
        reached = max(reached, further)
    if not readings:
        if subscript in scope.fields:
            raise LanguageError(f"'{name}': a field cannot be differentiated by a field; coordinates are "
                                f"{', '.join(scope.coordinates)}")  # fmt: skip
        unknown = subscript[reached:] if longest > 1 else subscript[reached : reached + 1]
        near = suggestion(name, (*scope.parameters, *scope.columns, *scope.fields))
        raise LanguageError(
            f"'{name}': there is no coordinate {unknown or '(none given)'}; coordinates are "
            f"{', '.join(scope.coordinates)}{near if 'did you mean' in near else ''}"
        )
    if len(readings) > 1:
        listed = [f"{base} by {', '.join(reading)}" for reading in sorted(readings)[:_LISTED_READINGS]]
        more = ", ..." if len(readings) > _LISTED_READINGS else ""
        raise LanguageError(f"'{name}' has several readings: {' | '.join(listed)}{more}; write the names in full")
    (reading,) = readings
    for coordinate in reading:
        if coordinate not in whole.coordinates:
            depends = ", ".join(whole.coordinates) or "no coordinate"
            raise LanguageError(f"'{name}': {base} does not depend on {coordinate}; it depends on {depends}")
    if len(reading) > MAX_ORDER:
        raise LanguageError(f"'{name}' is a derivative of order {len(reading)}; the highest is {MAX_ORDER}")
    return whole.differentiated(*reading)


def _beginnings(coordinates: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Every prefix of a coordinate's name -> the coordinates it may mean; a full name means itself."""
    pieces: dict[str, tuple[str, ...]] = {}
    for one in coordinates:
        for end in range(1, len(one) + 1):
            pieces[one[:end]] = (*pieces.get(one[:end], ()), one)
    return pieces | {one: (one,) for one in coordinates}


def _readings(name: str, subscript: str, pieces: dict[str, tuple[str, ...]]) -> tuple[set[tuple[str, ...]], int]:
    """All decompositions of `subscript` into `pieces`, as sorted tuples of coordinates, and the longest prefix read."""
    longest = max(map(len, pieces), default=0)
    ways: list[set[tuple[str, ...]]] = [{()}, *(set[tuple[str, ...]]() for _ in subscript)]
    for start, found in enumerate(ways):
        if len(found) > _MANY_READINGS:
            raise LanguageError(f"'{name}' has more than {_MANY_READINGS} readings; write the coordinates in full")
        for end in range(start + 1, min(start + longest, len(subscript)) + 1):
            for meaning in pieces.get(subscript[start:end], ()):
                ways[end] |= {tuple(sorted((*reading, meaning))) for reading in found}
    reached = max(place for place, found in enumerate(ways) if found)
    return (ways[-1] if subscript else set()), reached
