"""The first words of a report: whether there is an answer, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TONES = {"solved": "good", "falling": "fair", "stalled": "fair", "unsolved": "bad"}
FAILED = {
    "diverged": "Training diverged: there is no solution",
    "failed": "The run failed: there is no solution",
    "interrupted": "Interrupted before its end",
    "running": "Still running, or killed before its end",
}
"""Status -> what is said first of a run that did not finish."""


def headline(metrics: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Tone (good, fair, bad or none), headline, and what explains it.

    >>> headline({"status": "finished", "verdict": "solved", "verdict_text": "It converged.", "reason": "time is up"})
    ('good', 'Solved', ['It converged.', 'Training ended: time is up.'])
    >>> headline({"status": "diverged", "reason": "the term 'heat' is nan"})
    ('bad', 'Training diverged: there is no solution', ["the term 'heat' is nan"])
    """
    status, verdict = str(metrics.get("status")), str(metrics.get("verdict") or "")
    said = str(metrics.get("verdict_text") or "")
    texts = [said] if said else []
    reason = str(metrics.get("reason") or "")
    if isinstance(metrics.get("not_finite"), list):
        texts.append(f"Not finite: {', '.join(map(str, metrics['not_finite']))}.")
    if status != "finished":
        tone = "fair" if status in ("interrupted", "running") else "bad"
        return tone, FAILED.get(status, f"The run ended as {status}"), [*([reason] if reason else []), *texts]
    if reason:
        texts.append(f"Training ended: {reason}.")
    head = "Finished; whether it is solved is not known" if verdict == "unknown" else verdict.capitalize() or "Finished"
    return TONES.get(verdict, "none"), head, texts


def in_words(metrics: Mapping[str, Any]) -> str:
    """The headline and what explains it in Markdown, for boards."""
    _, head, texts = headline(metrics)
    return "\n\n".join([f"### {head}", *texts])
