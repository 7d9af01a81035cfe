"""Parameters with a range, `nu: {range: [0.001, 0.1], log: true}`: inputs of the network beside the coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pinnkit.domains.box import Box
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.grammar import check_name
from pinnkit.problem.declarations import has_range
from pinnkit.problem.equations import check_keys
from pinnkit.problem.intervals import read_range


def read_ranges(
    config: Any, names: tuple[str, ...], box: Box, report: Report
) -> tuple[tuple[str, ...], Box, tuple[str, ...]]:
    """The names of all coordinates with the parameters behind them, the box of all ranges, and these parameters' names.

    Args:
        config: the parameters of the problem.
        names, box: the coordinates that the problem declares, and their ranges.
    """
    found: list[str] = []
    bounds, logarithmic = dict(box.bounds), set()
    for name, given in config.items() if isinstance(config, Mapping) else ():
        if not has_range(given):
            continue
        key = f"parameters.{name}"
        with report.at(key):
            check_name(name, (*names, *found))
            found.append(name)
            if "learn" in given:
                raise LanguageError(
                    "is to be learned and has a range: a learned parameter is one number, that with a range an input "
                    "of the network; leave out learn or range"
                )
            check_keys(report, key, given, ("range", "log"))
            bounds[name] = read_range(given["range"])
            log = given.get("log", False)
            if not isinstance(log, bool):
                raise LanguageError(f"log is {log!r}: true or false is needed")
            if log and bounds[name][0] <= 0:
                raise LanguageError(f"the range [{bounds[name][0]:g}, {bounds[name][1]:g}] has no logarithm: log: true "
                                    "needs a lower end above zero")  # fmt: skip
            logarithmic |= {name} if log else set()
    return (*names, *found), Box(MappingProxyType(bounds), logarithmic=frozenset(logarithmic)), tuple(found)
