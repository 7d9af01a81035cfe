"""Interrupted runs, and jobs that SLURM starts again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pinnkit.cli.arguments import Arguments
from pinnkit.cli.entry import INTERRUPTED, print_error
from pinnkit.cli.quoting import quoted, unquoted
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import environment
from pinnkit.training.signals import REQUEUES, Interrupted


def interrupted(error: BaseException) -> int:
    """Report a signal, and requeue the job where the signal asks for it; the exit code."""
    print_error(error if isinstance(error, Interrupted) else "interrupted")
    if isinstance(error, Interrupted) and error.name == REQUEUES:
        requeue()
    return INTERRUPTED


def requeue() -> None:
    """In a SLURM job: have it started again."""
    if environment.first() and (job := environment.job()) is not None:
        answer = environment.requeue(job)
        print_error(f"requeued{f': {answer}' if answer else ''}")


def resume_if_requeued(arguments: Arguments) -> Arguments:
    """The arguments of a run; in a job that SLURM has started again they resume what hydra.run.dir= names."""
    key = "hydra.run.dir="
    folders = [one.removeprefix(key) for one in arguments.overrides if one.startswith(key)]
    if not folders or not environment.requeued() or any(one.startswith("resume=") for one in arguments.overrides):
        return arguments
    change = requeued_override(Path(unquoted(folders[-1])))
    if change.startswith("resume="):
        others = [one for one in arguments.overrides if not one.startswith(key)]
        return replace(arguments, overrides=(*others, change))
    return replace(arguments, overrides=(*arguments.overrides, change))


def requeued_override(folder: Path) -> str:
    """The override by which a job that was started again goes on in its run folder, or begins anew."""
    run = RunFolder(folder)
    return f"resume={quoted(run.path)}" if run.resumable else "overwrite=true"  # it had hardly begun
