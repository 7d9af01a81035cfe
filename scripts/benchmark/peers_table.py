"""The tables of the comparison with other frameworks, from its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FRAMEWORKS = ("pinnkit", "DeepXDE", "PINA", "TorchPhysics", "jinns")
PROBLEMS = ("heat", "burgers", "poisson_2d", "allen_cahn", "back_step_flow")
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
"""Between these lines of the README stands the table."""
Row = Mapping[str, Any]

LEGEND = """\
Each run is a process of its own, one at a time, with the same threads on the same CPUs, in float64. All have the same
network (a multilayer perceptron with inputs scaled to [-1, 1], Glorot's normal weights, the width and activation that
pinnkit chooses; x of allen_cahn embedded by cos(pi x) and sin(pi x)), the same numbers of points, drawn by each
framework's own geometry, the same weights of the conditions, pointwise where the problem file has them so, and the same
grid and reference for the error: the relative L2 error of the worst field at the end.

- *pinnkit*: `pinnkit train pde=NAME trainer.max_time=SECONDS`, nothing else set. It doubles and redraws its points, and
  its clock runs while it measures the error.
- *DeepXDE* (PyTorch), *PINA*, *TorchPhysics*: Adam (learning rate 1e-3) for 40 % of the time, then L-BFGS, the recipe
  of their documentation; all by `torch.optim.LBFGS` with 100 pairs and the line search for strong Wolfe conditions,
  also where a tutorial has a fixed step. DeepXDE starts it anew where it converges. TorchPhysics draws new points every
  100 steps of Adam, and keeps them for L-BFGS. PINA runs its `fast_` operators.
- *jinns*: SSBroyden from its own `jinns.optimizers`, from the first step on, as in its notebooks. Its boundary and
  initial conditions have one number for a weight: 100 for the start of allen_cahn. Its domains are boxes. It has tanh
  in the place of sin (poisson_2d), of which XLA makes slow code in float64 on a CPU.
- The peers' clocks stand still while the error is measured, and all clocks stand still while code is compiled
  (*set-up*).

*ms a step*: one step of Adam with the same network and numbers of points, which stay the same; the median of blocks of
ten steps after ten of warm-up. pinnkit's engine is `operators=auto`. *CPU*: the share of the wall time that the process
of the error had on its CPUs; below 90 % others were at work on the machine, and the row is to be measured again."""


def row_of(report: Mapping[str, Any], problem: str, framework: str, task: str) -> Row | None:
    """The row of a run, if there is one."""
    wanted = {"problem": problem, "framework": framework, "task": task}
    return next((row for row in report["rows"] if row.items() >= wanted.items()), None)


def cell(row: Row | None) -> str:
    """A run's figure in two digits (three for times), or what became of it."""
    if row is None:
        return ""
    if row["status"] == "cannot":
        return "cannot"
    if row["status"] != "finished":
        return "failed"
    return f"{row['error']:.1e}" if row["task"] == "error" else f"{row['ms_per_step']:.3g}"


def said(row: Row) -> str:
    """A run in a line."""
    if row["status"] != "finished":
        return f"{row['status']}: {row['reason']}"
    return f"{row['error']:.2e} after {row['steps']} steps" if row["task"] == "error" else f"{cell(row)} ms a step"


def table(report: Mapping[str, Any]) -> str:
    """The short table: a problem's errors in a line, and its times in the next."""
    present = {row["framework"] for row in report["rows"]}
    frameworks = [name for name in FRAMEWORKS if name in present]
    lines = [["problem", "", *frameworks], ["---"] * (2 + len(frameworks))]
    for problem in PROBLEMS:
        for task, label in (("error", f"error after {report['seconds']:g} s"), ("step", "ms a step")):
            cells = [cell(row_of(report, problem, framework, task)) for framework in frameworks]
            if any(cells):
                lines.append([f"`{problem}`" if task == "error" else "", label, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def replaced(page: str, new: str) -> str:
    """The page with the table between its two lines; a page without them as it is."""
    before, begin, rest = page.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    return f"{before}{begin}{new}{end}{after}" if begin and end else page


def markdown(report: Mapping[str, Any]) -> str:
    """The page docs/results/peers.md."""
    rows = report["rows"]
    versions = sorted({f"{name} {number}" for row in rows for name, number in row.get("versions", {}).items()})
    dates = sorted({row["date"] for row in rows})
    lines = [
        "# Beside other frameworks",
        "",
        f"Made by `{report['command']}`.",
        "",
        f"- date: {' to '.join(dict.fromkeys((dates[0], dates[-1])))}",
        f"- machine: {report['machine']}",
        f"- code: {report['commit']}",
        f"- versions: {', '.join(versions)}",
        *([f"- note: {report['note']}"] if "note" in report else []),
        "",
        table(report),
        LEGEND,
        "",
        "## Every run",
        "",
    ]
    columns = (
        "problem",
        "framework",
        "error",
        "steps",
        "training (s)",
        "set-up (s)",
        "optimizers",
        "ms a step",
        "least",
    )
    lines += [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    sizes = {}
    for problem in PROBLEMS:
        for framework in FRAMEWORKS:
            error, step = (row_of(report, problem, framework, task) for task in ("error", "step"))
            if error or step:
                sizes[problem] = (error or step)["size"]
                lines.append(_line(problem, framework, error, step))
    lines += ["", "## Sizes", "", "| problem | network | points of the equations | of each condition |"]
    lines += ["| --- | --- | --- | --- |"]
    for problem, size in sizes.items():
        network = f"{size['depth']} x {size['width']}, {size['activation']}"
        lines.append(f"| {problem} | {network} | {size['equations']} | {size['conditions']} |")
    return "\n".join(lines) + "\n"


def _line(problem: str, framework: str, error: Row | None, step: Row | None) -> str:
    """A line of the table of all runs; the reason in the place of an error that is not there."""
    cells = [problem, framework]
    if error and error["status"] == "finished":
        setup = error.get("compile_s")
        cells += [f"{error['error']:.2e}", f"{error['steps']}", f"{error['train_time_s']:.1f}"]
        share = error.get("cpu_share")
        cells += ["" if setup is None else f"{setup:.1f}", "" if share is None else f"{share:.0%}", error["recipe"]]
    else:
        cells += [error["reason"].replace("|", "\\|") if error else "", "", "", "", "", ""]
    measured = step if step and step["status"] == "finished" else None
    cells += [f"{measured['ms_per_step']:.3g}", f"{measured['ms_min']:.3g}"] if measured else [cell(step), ""]
    return f"| {' | '.join(cells)} |"
