"""Reading the shapes of a problem."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, check_name
from pinnkit.problem.equations import check_keys
from pinnkit.problem.level_sets import read_level_set
from pinnkit.problem.shape_files import FILES, read_mesh, read_outline
from pinnkit.problem.tables import Files
from pinnkit.problem.values import Values, number

BOX = "box"
"""The name of the box of the coordinates' ranges."""
BOUNDARY = "boundary"
"""The name of all that bounds the domain."""
RESERVED = (BOX, BOUNDARY, "domain")
IN = "in"
"""The key, beside the kind of a shape, of the coordinates that it is described in."""
TEXTS = ("level_set", *FILES)
"""The kinds of shapes that a single text describes."""
OTHER_NAMES = {
    **dict.fromkeys(("circle", "disc"), "disk"),
    **dict.fromkeys(("annulus", "ring"), "a disk with another cut out, as in domain: outer - inner"),
    **dict.fromkeys(("rectangle", "square", "interval", "cube", "cuboid"), "box"),
    **dict.fromkeys(("triangle", "quadrilateral", "l_shape"), "polygon"),
    **dict.fromkeys(("sphere",), "ball"),
    **dict.fromkeys(("rod", "pipe", "tube"), "cylinder"),
    **dict.fromkeys(("implicit", "sdf", "function"), "level_set"),
    **dict.fromkeys(("stl", "obj"), "mesh"),
}
"""What shapes are called elsewhere."""
SHAPES_AT_MOST, NUMBERS = 100, 2000
"""Shapes of a problem, and numbers or points in a list, at most."""
LEAST, MOST = 1e-50, 1e50
"""The size of a number of a shape, unless it is zero: products of several are finite."""


def check_shape_name(name: Any, taken: Iterable[str]) -> None:
    """Raise LanguageError unless a shape can have that name."""
    check_name(name, taken)
    if name in RESERVED:
        raise LanguageError(f"'{name}' has a meaning of its own: give the shape another name")


def read_shapes(
    config: Mapping[Any, Any],
    ranges: Box,
    parameters: tuple[str, ...],
    values: Values,
    taken: Collection[str],
    files: Files,
    report: Report,
) -> tuple[dict[str, Shape], dict[str, tuple[str, ...]]]:
    """The shapes without a mistake by name, each in all space coordinates; and the coordinates that some name.

    A shape that names some of them alone is the same at all values of the others.

    Args:
        ranges: of the space coordinates.
        parameters, values: the names of all parameters, and the values of those that are known before training.
        taken: the names that mean something else.
        files: where meshes and outlines are looked for.
    """

    def from_text(kind: str, text: Any, names: tuple[str, ...]) -> Shape:
        """A shape whose description is a text: that of a function, or the name of a file."""
        if kind == "level_set":
            return read_level_set(text, {name: ranges.bounds[name] for name in names}, parameters, values, taken)
        return {"mesh": read_mesh, "outline": read_outline}[kind](text, names, files)

    shapes: dict[str, Shape] = {}
    own: dict[str, tuple[str, ...]] = {}
    if len(config) > SHAPES_AT_MOST:
        report.add("shapes", f"are {len(config)}; the most is {SHAPES_AT_MOST}")
        return shapes, own
    for name, description in config.items():
        key = f"shapes.{name}"
        with report.at(key):
            check_shape_name(name, taken)
            kinds = [kind for kind in description if kind != IN] if isinstance(description, Mapping) else []
            if len(kinds) != 1:
                raise LanguageError(f"{description!r} is no shape: write {{disk: {{center: [0, 0], radius: 1}}}}")
            (kind,) = kinds
            if kind not in (kinds := sorted({*SHAPES, *TEXTS})):
                meant = OTHER_NAMES.get(str(kind).lower())
                raise LanguageError(SHAPES.unknown(kind, f"; write {meant}" if meant else suggestion(str(kind), kinds)))
            with report.at(f"{key}.{IN}"):
                names = _named_coordinates(description[IN], ranges) if IN in description else ranges.coordinates
                shape = None
                if kind in TEXTS:
                    with report.at(f"{key}.{kind}"), _mistakes_of_shapes():
                        shape = from_text(kind, description[kind], names)
                else:
                    own_key = f"{key}.{kind}"
                    shape = _read_shape(str(kind), description[kind], own_key, names, parameters, values, report)
                if shape is not None:
                    shapes[name] = _in_all(shape, ranges)
                    if len(names) < len(ranges.coordinates):
                        own[name] = names
    return shapes, own


@contextmanager
def _mistakes_of_shapes() -> Iterator[None]:
    """Turn the ShapeError of a shape without settings into a mistake of the language."""
    try:
        yield
    except ShapeError as error:
        raise LanguageError(str(error)) from None


def _named_coordinates(config: Any, ranges: Box) -> tuple[str, ...]:
    """The space coordinates in which a shape is described, in the order that the problem has them."""
    names = [config] if isinstance(config, str) else config
    if not isinstance(names, Sequence) or not names:
        raise LanguageError(f"{config!r} is not a list of coordinates: write [{', '.join(ranges.coordinates)}]")
    for name in names:
        if name not in ranges.coordinates:
            hint = suggestion(str(name), ranges.coordinates)
            raise LanguageError(f"there is no space coordinate '{name}'{hint}")
    if list(names) != [name for name in ranges.coordinates if name in names]:
        raise LanguageError(f"{', '.join(names)}: name each once, in the order of coordinates")
    return tuple(names)


def _in_all(shape: Shape, ranges: Box) -> Shape:
    """The shape at all values of the coordinates that it does not have."""
    others = {name: ends for name, ends in ranges.bounds.items() if name not in shape.coordinates}
    return Product((shape, Box(others)), ranges.coordinates) if others else shape


def _read_shape(
    kind: str,
    settings: Any,
    key: str,
    names: tuple[str, ...],
    parameters: tuple[str, ...],
    values: Values,
    report: Report,
) -> Shape | None:
    """The shape, None where it has a mistake: its settings are the arguments of its class, but for the coordinates."""
    types = typing.get_type_hints(SHAPES[kind].__init__)
    fields = [field for name, field in inspect.signature(SHAPES[kind]).parameters.items() if name != "names"]
    if not isinstance(settings, Mapping) and (bare := SHAPES[kind].bare):
        settings = {bare: settings}
    if not isinstance(settings, Mapping):
        example = ", ".join(f"{field.name}: {_written(SHAPES[kind].example[field.name])}" for field in fields)
        report.add(key, f"{settings!r} is not a mapping of settings: write {{{kind}: {{{example}}}}}")
        return None
    former = len(report.mistakes)
    check_keys(report, key, settings, [field.name for field in fields])
    read: dict[str, Any] = {}
    for field in fields:
        if field.name in settings:
            with report.at(f"{key}.{field.name}"):
                read[field.name] = _setting(settings[field.name], types[field.name], parameters, values)
        elif field.default is inspect.Parameter.empty:
            report.add(f"{key}.{field.name}", "is missing")
    if len(report.mistakes) > former:
        return None
    try:
        shape = SHAPES[kind](names=names, **read)
    except ShapeError as error:
        report.add(f"{key}.{error.setting}" if error.setting else key, str(error))
        return None
    for part in shape.boundary(names):
        part.project(part.sample(np.full((1, part.dimension), 0.5)))  # raises where the class is not complete
    return shape


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, tuple) else f"{value:g}"


def _setting(config: Any, kind: Any, parameters: tuple[str, ...], values: Values) -> Any:
    """A text, a number, or a tuple of numbers or of such, by the type of the argument."""
    if kind is str:
        if not isinstance(config, str):
            raise LanguageError(f"{config!r} is not a text")
        return config
    if kind is float:
        value = number(config, Scope((), parameters=parameters), values)
        if value and not LEAST <= abs(value) <= MOST:
            raise LanguageError(
                f"is {value:g}: numbers of shapes lie between {LEAST:g} and {MOST:g}; choose other units"
            )
        return value
    one, _ = typing.get_args(kind)
    if isinstance(config, str) or not isinstance(config, Sequence):
        what, example = ("numbers", "[0, 0]") if one is float else ("points", "[[0, 0], [1, 0], [0, 1]]")
        raise LanguageError(f"{config!r} is not a list of {what}: write {example}")
    if len(config) > NUMBERS:
        raise LanguageError(f"has {len(config)} entries; the most is {NUMBERS}")
    return tuple(_setting(each, one, parameters, values) for each in config)
