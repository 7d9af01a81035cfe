"""A problem as notebooks show it: Markdown with its equations in LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinnkit.language.latex import escaped, latex_text
from pinnkit.language.markdown import without_markup
from pinnkit.problem.statement import NOTE, Line, Statement, statement

if TYPE_CHECKING:
    from pinnkit.problem.problem import Problem


def in_latex(problem: Problem) -> str:
    r"""The equations of a problem and its conditions as one aligned block, in dollar signs."""
    said = statement(problem)
    rows = [f"{_mathematics(one, said)} && {_text(_place(one))}" for one in (*said.equations, *said.conditions)]
    return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"


def in_markdown(problem: Problem) -> str:
    """Name, description, facts, equations, conditions and closed forms."""
    said = statement(problem)
    name, description = without_markup(said.name), without_markup(said.description)
    parts = [f"**{name}**" + (f": {description}" if description else "")]
    parts.append(in_latex(problem))
    others = [f"- {one.name}: ${latex_text(f'{one.name} = {one.text}', said.names, said.coordinates)}$"
              for one in said.definitions]  # fmt: skip
    others += [
        f"- exact: ${latex_text(f'{one.name} = {one.text}', said.names, said.coordinates)}$" for one in said.exact
    ]
    others += [f"- {what}: {without_markup(text)}" for what, text in said.facts]
    parts.append("\n".join(others))
    return "\n\n".join(parts)


def _mathematics(line: Line, said: Statement) -> str:
    """Name and equation, the latter aligned at its sign."""
    if not line.is_text:
        return rf"\texttt{{{escaped(line.text)}}}&\text{{, a residual in Python}}"
    written = latex_text(line.text, said.names, said.coordinates)
    return written.replace(" = ", " &= ", 1) if " = " in written else f"{written} &= 0"


def _place(line: Line) -> str:
    """Where a line holds, and whether it has a source."""
    return ", ".join([one for one in (line.where, *line.notes) if one and (one == line.where or one == NOTE)])


def _text(words: str) -> str:
    return rf"\text{{{escaped(words)}}}" if words else ""
