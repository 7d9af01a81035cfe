"""The search space of a sweep, in Hydra's own sweep syntax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException

from pinnkit.language.errors import Report

SYNTAX = "write choice(a,b), range(10,41), interval(0,1), int(interval(1,9)) or tag(log,interval(1e-4,1e-1))"


@dataclass(frozen=True)
class Choice:
    """One of some texts."""

    key: str
    values: tuple[str, ...]

    def override(self, trial: Any) -> str:
        """The override by which a trial (of Optuna) takes its value."""
        return f"{self.key}={trial.suggest_categorical(self.key, self.values)}"

    def ends(self) -> Sequence[str]:
        return self.values

    def __str__(self) -> str:
        return f"{self.key}=choice({','.join(self.values)})"


@dataclass(frozen=True)
class Span:
    """The numbers from low to high, both included, evenly or by their logarithm; perhaps only every `step`-th."""

    key: str
    low: float
    high: float
    step: float | None = None
    log: bool = False

    def override(self, trial: Any) -> str:
        """The override by which a trial (of Optuna) takes its value."""
        if isinstance(self.low, int):
            return f"{self.key}={trial.suggest_int(self.key, self.low, self.high, step=self.step or 1, log=self.log)}"
        return f"{self.key}={trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log)}"

    def ends(self) -> Sequence[str]:
        return str(self.low), str(self.high)

    def __str__(self) -> str:
        how = (f" by {self.step}" if self.step else "") + (" by the logarithm" if self.log else "")
        return f"{self.key} from {self.low} to {self.high}{how}"


def read_space(overrides: Sequence[str]) -> tuple[list[str], list[Choice | Span]]:
    """The overrides that are the same for every trial, and the dimensions of the space.

    Raises:
        ProblemError: an override that cannot be read, a space without values, no space at all.
    """
    report, searched = Report(), False
    fixed: list[str] = []
    space: list[Choice | Span] = []
    for text in overrides:
        try:
            override = OverridesParser.create().parse_override(text)
        except HydraException as error:
            report.add("command line", f"{str(error).split(chr(10) + 'See')[0]}\n{SYNTAX}; quote it for the shell")
            continue
        if override.is_sweep_override():
            searched = True
            if (found := _dimension(override, report)) is not None:
                space.append(found)
        else:
            fixed.append(text)
    keys = [one.key for one in space]
    for key in {key for key in keys if keys.count(key) > 1}:
        report.add(key, "is searched twice: leave one of the two out")
    if not searched and not report.mistakes:
        report.add("sweep", f"nothing is searched: {SYNTAX} for a key, such as network.width=range(10,41)")
    report.raise_if_any()
    return fixed, space


def _dimension(override: Override, report: Report) -> Choice | Span | None:
    key, value, text = override.get_key_element(), override.value(), override.get_value_string()
    tags = set(getattr(value, "tags", ()))
    if tags - {"log"} or (tags and not isinstance(value, IntervalSweep)):
        report.add(key, f"{text}: log is the only tag, and of an interval alone: tag(log,int(interval(10,40)))")
    elif isinstance(value, ChoiceSweep):
        return Choice(key, tuple(dict.fromkeys(override.sweep_string_iterator())))
    elif isinstance(value, RangeSweep):
        start, stop = cast(float, value.start), cast(float, value.stop)
        if not value.step or (stop - start) / value.step <= 0:
            report.add(key, f"{text} holds no number: write range(first, beyond the last, step)")
        else:
            numbers = sorted(cast(Iterator[float], override.sweep_iterator()))
            return Span(key, numbers[0], numbers[-1], abs(value.step))
    elif isinstance(value, IntervalSweep):
        low, high = cast(float, value.start), cast(float, value.end)
        if low >= high:
            report.add(key, f"{text} holds no number: its first end must be less than its second")
        elif tags and low <= 0:
            report.add(key, f"{text}: a logarithm needs ends above 0")
        else:
            return Span(key, low, high, log=bool(tags))
    else:
        report.add(key, f"{text} cannot be searched: {SYNTAX}")
    return None
