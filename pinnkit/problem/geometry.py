"""The domain of a problem, its named shapes, and what bounds them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

from pinnkit.domains.box import Box
from pinnkit.domains.combination import DIFFERENCE, INTERSECTION, UNION, Combination
from pinnkit.domains.product import Product
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.rim import rim
from pinnkit.domains.shape import Shape
from pinnkit.language.errors import LanguageError, Report
from pinnkit.problem.shapes import BOX, check_shape_name, read_shapes
from pinnkit.problem.solids import read_solid
from pinnkit.problem.tables import Files

ROUNDING = 1e-12
"""How far a shape may pass the end of a coordinate's range, relative to its size."""
KEYS = ("shapes", "name", "description")
"""Keys of a problem in which a word is no use of a shape."""


@dataclass(frozen=True)
class Places:
    """The domain, the named shapes, and what bounds them.

    Attributes:
        box: the ranges of all coordinates.
        shapes: name -> a solid in the space coordinates, the box of their ranges among them.
        own: name -> the coordinates that a shape names, if not all of space: its normals lie in these.
        solid: the domain in space; None where no coordinate is one of space.
        broken: names of shapes with a mistake, which is told already: they stand for the domain and what bounds it.
    """

    box: Box
    space: tuple[str, ...]
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    solid: Shape | None = None
    broken: tuple[str, ...] = ()

    @cached_property
    def domain(self) -> Shape:
        return self.box if self.solid is None else self._through(self.solid)

    @cached_property
    def boundary(self) -> tuple[Shape, ...]:
        """All that bounds the domain in space."""
        return self.domain.boundary(self.space)

    def rim(self, name: str) -> tuple[Shape, ...]:
        """The parts of a shape's boundary in the closure of the domain."""
        if name in self.broken:
            return self.boundary
        shape = self.shapes[name]
        if self.solid is None or shape == self.solid:
            return self.domain.boundary(self.own.get(name, self.space))
        return tuple(map(self._through, rim(shape, self.solid, self.own.get(name, self.space))))

    @cached_property
    def regions(self) -> dict[str, Shape]:
        """Name -> what a shape has in common with the domain, for those that have something."""
        found = dict.fromkeys(self.broken, self.domain)
        for name, shape in self.shapes.items():
            if name != BOX and self.solid is not None:
                try:
                    found[name] = self._through(self._within(name, shape))
                except ValueError:  # nothing in common: it was cut out, or lies outside
                    continue
        return found

    @property
    def outside(self) -> list[str]:
        """The names of shapes that have nothing in common with the domain."""
        return [name for name in self.shapes if name != BOX and name not in self.regions]

    def _within(self, name: str, shape: Shape) -> Shape:
        whole = cast(Box, self.shapes[BOX])
        if shape == self.solid or (self.solid == whole and not _beyond(shape, whole)):
            return shape
        label = f"{name} & ({self.solid.label})" if isinstance(self.solid, Combination) else f"{name} & domain"
        return Combination(INTERSECTION, shape, cast(Shape, self.solid), label)

    def _through(self, part: Shape) -> Shape:
        """A shape in space at all values of the other coordinates."""
        others = [one for one in self.box.coordinates if one not in part.coordinates]
        if isinstance(part, Box):
            bounds = {name: part.bounds.get(name, ends) for name, ends in self.box.bounds.items()}
            normal = {name: part.normal.get(name, 0.0) for name in bounds} if part.normal else {}
            return Box(MappingProxyType(bounds), MappingProxyType(normal), self.box.logarithmic)
        return Product((part, self.box.only(others)), self.box.coordinates) if others else part


def read_places(
    config: Mapping[str, Any],
    space: tuple[str, ...],
    box: Box,
    parameters: tuple[str, ...],
    values: Mapping[Any, float],
    taken: Collection[str],
    files: Files,
    report: Report,
) -> Places:
    """The domain that `shapes` and `domain` say: by default the box of the coordinates' ranges.

    Args:
        config: the problem.
        parameters, values: the names of all parameters, and the values of those that are known before training.
        taken: the names that mean something else.
        files: where meshes and outlines are looked for.
    """
    if not space:
        for key in ("shapes", "domain"):
            if config.get(key):
                report.add(key, "a problem without space has no shapes: its domain is the range of t")
        return Places(box, space)
    described = config.get("shapes") or {}
    if not isinstance(described, Mapping):
        report.add("shapes", f"{described!r} is not a mapping: write {{part: {{disk: {{center: [0, 0], radius: 1}}}}}}")
        described = {}
    ranges = Box({name: box.bounds[name] for name in space})
    texts = _texts(described)
    plain = {name: one for name, one in described.items() if name not in texts}
    shapes, own = read_shapes(plain, ranges, parameters, values, taken, files, report)
    shapes[BOX] = ranges
    known = [*map(str, described), BOX]
    later = list(texts)
    for name, text in texts.items():
        with report.at(f"shapes.{name}"):
            check_shape_name(name, taken)
            if text.strip() in SHAPES and text.strip() not in shapes:
                raise LanguageError(f"{text!r} is no shape: write {{disk: {{center: [0, 0], radius: 1}}}}")
            own_solid = read_solid(text, shapes, known, later=later)
            if own_solid is not None:
                shapes[name] = own_solid
        later.remove(name)
    solid: Shape | None = ranges
    with report.at("domain"):
        solid = _read_solid(config.get("domain"), shapes, known, ranges)
    broken = tuple(name for name in map(str, described) if name not in shapes)
    return Places(box, space, shapes, own, solid or ranges, broken)


def check_used(config: Mapping[str, Any], places: Places, report: Report) -> None:
    """Check that each shape has a use, where there is no other mistake: a misspelt word may have meant it."""
    if report.mistakes or not places.shapes:
        return
    texts = _texts(config.get("shapes") or {})
    used = set(_words([*texts.values(), {key: value for key, value in config.items() if key not in KEYS}]))
    for name in places.shapes:
        if name != BOX and name not in used:
            message = f"is used nowhere: write domain: {name}, name it by at: or in:, or leave it out"
            report.add(f"shapes.{name}", message)


def _texts(described: Mapping[Any, Any]) -> dict[Any, str]:
    """The shapes that are expressions of others."""
    return {name: text for name, text in described.items() if isinstance(text, str)}


def _read_solid(text: Any, shapes: Mapping[str, Shape], known: list[str], ranges: Box) -> Shape | None:
    if text is None:
        return ranges
    if not isinstance(text, str):
        raise LanguageError(f"{text!r} is no name of a shape: write one of {', '.join(known)}, or box - {known[0]}")
    solid = read_solid(text, shapes, known)
    if solid is None:
        return None
    if isinstance(solid, Combination):
        solid = replace(solid, label=" ".join(text.split()))
    if solid == ranges:
        return ranges
    if _cut(solid):
        solid = Combination(INTERSECTION, ranges, solid)
    if beyond := _beyond(solid, ranges):
        lower, upper = solid.bounds[beyond]
        least, most = ranges.bounds[beyond]
        what = f"the shape '{text.strip()}'" if text.strip() in shapes else "the domain"
        raise LanguageError(
            f"{what} reaches from {beyond} = {lower:g} to {upper:g}, beyond the range "
            f"[{least:g}, {most:g}] of {beyond}: give {beyond} a wider range, or write box & ..."
        )
    return solid


def _cut(solid: Shape) -> bool:
    """Whether a solid ends at the ranges of the coordinates where `boundary` has no part."""
    if not isinstance(solid, Combination):
        return solid.cut
    left, right = _cut(solid.left), _cut(solid.right)
    return {UNION: left or right, INTERSECTION: left and right, DIFFERENCE: left}[solid.operation]


def _beyond(shape: Shape, ranges: Box) -> str:
    """A coordinate in which a shape passes the end of its range, if there is one."""
    for name, (lower, upper) in shape.bounds.items():
        slack = ROUNDING * (upper - lower)
        if lower < ranges.bounds[name][0] - slack or upper > ranges.bounds[name][1] + slack:
            return name
    return ""


def _words(config: Any) -> Iterator[str]:
    """Every word in the texts of a configuration; keys are names of other things."""
    if isinstance(config, str):
        yield from re.findall(r"[A-Za-z_]\w*", config)
    elif isinstance(config, Mapping):
        for value in config.values():
            yield from _words(value)
    elif isinstance(config, list | tuple):
        for one in config:
            yield from _words(one)
