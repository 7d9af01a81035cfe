"""The command `pinnkit` and its subcommands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from pinnkit.cli import entry
from pinnkit.language.errors import suggestion
from pinnkit.runs import shipped
from pinnkit.versions import __version__

HELP = """
Differential equations solved by physics-informed neural networks.

usage: pinnkit COMMAND [ARGUMENT ...]

  train      train a network on a problem
  list       the shipped problems, a line each
  new        a commented problem file to start from
  check      print a problem as understood and run every check; nothing is trained
  evaluate   measure a trained network again, draw it, export it
  compare    runs side by side: a table and a figure
  sweep      search settings for the least error
  completion a script by which a shell completes all this

  pinnkit COMMAND --help   arguments, examples and exit codes of a command
  pinnkit --version        the version

examples:
  pinnkit train pde=heat
  pinnkit train my_problem.yaml trainer.max_time=60

Exit codes: 0 finished, 2 the command line is wrong, others by command.
"""


def _train(arguments: Sequence[str]) -> int:
    from pinnkit.cli.train import train  # each command loads what it needs, and not what the others need

    return train(arguments, shipped.conf())


def _check(arguments: Sequence[str]) -> int:
    from pinnkit.cli.check import check

    return check(arguments, shipped.conf())


def _list(arguments: Sequence[str]) -> int:
    from pinnkit.cli.list_problems import list_problems

    return list_problems(arguments)


def _new(arguments: Sequence[str]) -> int:
    from pinnkit.cli.new import new

    return new(arguments)


def _evaluate(arguments: Sequence[str]) -> int:
    from pinnkit.cli.evaluate import evaluate

    return evaluate(arguments)


def _compare(arguments: Sequence[str]) -> int:
    from pinnkit.cli.compare import compare

    return compare(arguments)


def _sweep(arguments: Sequence[str]) -> int:
    from pinnkit.cli.sweep import sweep

    return sweep(arguments, shipped.conf())


def _completion(arguments: Sequence[str]) -> int:
    from pinnkit.cli.completion import completion

    return completion(arguments, shipped.conf(), list(COMMANDS))


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "train": _train,
    "list": _list,
    "new": _new,
    "check": _check,
    "evaluate": _evaluate,
    "compare": _compare,
    "sweep": _sweep,
    "completion": _completion,
}


def main() -> int:
    """Run `pinnkit` with the arguments of the process; the exit code."""
    return entry.run(lambda: pinnkit(sys.argv[1:]))


def pinnkit(argv: Sequence[str]) -> int:
    """Run a subcommand, or answer --help and --version; the exit code."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(HELP.strip())
        return entry.FINISHED
    command, *arguments = argv
    if command == "--version":
        print(f"pinnkit {__version__}")
        return entry.FINISHED
    if command not in COMMANDS:
        return entry.report_error(f"command line: there is no command '{command}'{suggestion(command, list(COMMANDS))}")
    if arguments == ["--version"]:
        return pinnkit(arguments)
    return COMMANDS[command](arguments)


if __name__ == "__main__":
    sys.exit(main())
