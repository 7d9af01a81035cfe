"""Tables of a report, from metrics.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LARGEST = ("residual", "scale")
"""What a point of the largest residual has besides its coordinates: the residual, and the size of the terms there."""


@dataclass(frozen=True)
class Table:
    """A heading, the names of columns, and rows of texts."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def size(value: Any) -> str:
    """An error or a residual.

    >>> size(0.00012345), size(None), size(True)
    ('1.234e-04', '—', 'True')
    """
    if value is None:
        return "—"
    return f"{value:.3e}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def value(number: Any) -> str:
    """A parameter's value, or an interval of two."""
    if isinstance(number, list | tuple):
        return f"[{', '.join(map(value, number))}]"
    return f"{number:.8g}" if isinstance(number, int | float) else size(number)


def duration(seconds: Any) -> str:
    """
    >>> duration(3.21), duration(75), duration(7300)
    ('3.2 s', '1 min 15 s', '2 h 2 min')
    """
    if not isinstance(seconds, int | float):
        return "—"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def key_numbers(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is looked for first: (name, value)."""
    errors = _mapping(metrics, "relative_l2")
    known = [one for one in errors.values() if isinstance(one, int | float)]
    found = []
    if known:
        worst = max(errors, key=lambda name: errors[name] if isinstance(errors[name], int | float) else -1.0)
        found.append((f"relative L2 error of {worst}" if len(errors) == 1 else f"largest error, of {worst}",
                      size(max(known))))  # fmt: skip
    if "loss" in metrics:
        found.append(("objective", size(metrics["loss"])))
    if "steps" in metrics:
        found.append(("optimizer steps", str(metrics["steps"])))
    found.append(("training", duration(metrics.get("train_time_s"))))
    return found


def tables(metrics: Mapping[str, Any]) -> list[Table]:
    """Errors by field, residuals by equation and condition, learned values; those that were measured."""
    found = []
    columns = {"relative L2 error": "relative_l2", "largest error": "max_error", "estimated error": "estimated_error"}
    errors = {title: values for title, key in columns.items() if (values := _mapping(metrics, key))}
    if not _known(errors.get("estimated error", {})):
        errors.pop("estimated error", None)
    if errors:
        note = " ".join(part for part in (_against(metrics), _estimated(metrics)) if part)
        found.append(_by_name("Errors by field", "field", errors, note))
    elif "residual_rms" in metrics:
        note = f"There is no reference, so the error is not known. {_estimated(metrics)}"
        found.append(Table("Errors by field", (), (), note.strip()))
    if _mapping(metrics, "residual_rms"):
        left = [f"{count} of {name}" for name, count in _mapping(metrics, "residual_left_out").items() if count]
        note = f"Left out, as the equation is singular there: points {', '.join(left)}." if left else ""
        found.append(_residuals("Residuals by equation", "equation", metrics, "residual_rms", note))
    if _mapping(metrics, "conditions_rms"):
        found.append(_residuals("Residuals by condition", "condition", metrics, "conditions_rms"))
    if worst := list(_largest(metrics)):
        found.append(Table("Where the residual is largest", ("of", "residual", "size of its terms", "at"), worst))
    if learned := _mapping(metrics, "learned"):
        found.append(_learned(learned))
    if kept := {name: one for name, one in _mapping(metrics, "conserved").items() if isinstance(one, Mapping)}:
        columns = {"at the start": "start", "largest drift": "drift", "of the start": "relative_drift"}
        numbers = {title: {name: one.get(key) for name, one in kept.items()} for title, key in columns.items()}
        found.append(_by_name("Conserved quantities", "quantity", numbers))
    if windows := [one for one in metrics.get("windows") or () if isinstance(one, Mapping)]:
        rows = [
            (*(value(one.get(key)) for key in ("from", "to", "steps")), size(one.get("residual"))) for one in windows
        ]
        found.append(Table("Windows of time", ("from", "to", "steps", "relative residual"), rows))
    if changes := _mapping(metrics, "quadrature"):
        found.append(_by_name("Integrals", "integral", {"change by twice the nodes": changes}))
    return found


def _mapping(metrics: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = metrics.get(key)
    return found if isinstance(found, Mapping) else {}


def _known(values: Mapping[str, Any]) -> bool:
    """Whether some value of a column is known."""
    return any(isinstance(one, int | float) for one in values.values())


def _estimated(metrics: Mapping[str, Any]) -> str:
    """How the error was estimated, or why it was not; nothing of a run of a version that did not."""
    text = metrics.get("estimated_error_text")
    return f"Estimated: {text}." if text else ""


def _residuals(title: str, what: str, metrics: Mapping[str, Any], key: str, note: str = "") -> Table:
    """RMS residual by name, beside the size of the terms that balance there, and the ratio, where they are known."""
    sizes = {"size of its terms": "residual_scale", "ratio": "residual_ratio"}
    columns = {"RMS residual": _mapping(metrics, key)}
    for head, other in sizes.items():
        values = {name: one for name, one in _mapping(metrics, other).items() if name in columns["RMS residual"]}
        columns |= {head: values} if values else {}
    return _by_name(title, what, columns, note)


def _largest(metrics: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The point of the largest residual of each equation and condition."""
    for name, points in _mapping(metrics, "largest_residuals").items():
        first = points[0] if isinstance(points, list) and points else None
        if isinstance(first, Mapping):
            place = ", ".join(f"{axis} = {_coordinate(one)}" for axis, one in first.items() if axis not in LARGEST)
            yield name, *(size(first.get(key)) for key in LARGEST), place


def _coordinate(number: Any) -> str:
    return f"{number:.4g}" if isinstance(number, int | float) else size(number)


def _by_name(title: str, what: str, columns: Mapping[str, Mapping[str, Any]], note: str = "") -> Table:
    names = list(dict.fromkeys(name for values in columns.values() for name in values))
    rows = [(name, *(size(values.get(name)) for values in columns.values())) for name in names]
    return Table(title, (what, *columns), rows, note)


def _against(metrics: Mapping[str, Any]) -> str:
    if not metrics.get("reference"):
        return ""
    own = metrics.get("reference_error")
    own = f", whose own error is about {own:.1e}" if isinstance(own, int | float) else ""
    left = [f"{count} of {name}" for name, count in _mapping(metrics, "reference_left_out").items() if count]
    without = f" Left out, as the reference is not finite there: points {', '.join(left)}." if left else ""
    return f"Measured against: {metrics['reference']}{own}.{without}"


def _learned(learned: Mapping[str, Any]) -> Table:
    entries = {name: one if isinstance(one, Mapping) else {"value": one} for name, one in learned.items()}
    columns = {"value": "value", "90 % interval": "interval", "exact": "exact", "relative error": "relative_error",
               "estimated error": "estimated_error"}  # fmt: skip
    used = {title: key for title, key in columns.items() if any(key in one for one in entries.values())}
    rows = []
    for name, one in entries.items():
        shown = [(size if key.endswith("error") else value)(one.get(key)) for key in used.values()]
        rows.append((name, *shown))
    return Table("Learned values", ("parameter", *used), rows)


def _polish(metrics: Mapping[str, Any]) -> str | None:
    """What the polish did, in words."""
    found = _mapping(metrics, "polish")
    if not found:
        return None
    sizes = f"residual {size(found.get('residual_before'))}, then {size(found.get('residual_after'))}"
    return f"{'accepted' if found.get('accepted') else 'not accepted'}: {sizes}, in {duration(found.get('seconds'))}"


def run_facts(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the numbers came about: (what, text)."""
    found: list[tuple[str, Any]] = [("seed", metrics.get("seed")), ("precision", metrics.get("dtype"))]
    found += [("device", metrics.get("device")), ("method", metrics.get("method"))]
    found += [("parameters", metrics.get("parameters")), ("polish", _polish(metrics))]
    optimizers, operators = metrics.get("optimizers"), metrics.get("operators")
    found.append(("optimizers", ", then ".join(map(str, optimizers)) if isinstance(optimizers, list) else None))
    if isinstance(operators, Mapping):
        found.append(
            ("derivatives", ", ".join(str(operators[key]) for key in ("engine", "reason") if key in operators))
        )
    counts = [f"{metrics[key]} {what}" for key, what in (("steps", "optimizer steps"), ("evaluations", "evaluations"))
              if key in metrics]  # fmt: skip
    found.append(("work", ", ".join(counts) or None))
    times = (("train_time_s", "training"), ("compile_time_s", "compiling"), ("wall_time_s", "in all"))
    spent = [f"{duration(metrics[key])} {what}" for key, what in times if metrics.get(key)]
    found.append(("time", ", ".join(spent) or None))
    found.append(
        ("versions", ", ".join(f"{name} {one}" for name, one in _mapping(metrics, "versions").items()) or None)
    )
    found.append(("commit", metrics.get("commit")))
    found.append(("checkpoint", metrics.get("checkpoint")))
    return [(name, str(text)) for name, text in found if text is not None]
