"""Evaluation of SymPy expressions on NumPy arrays or torch tensors, as a straight-line program.

The expressions are walked once; equal subexpressions become one instruction. Running the program branches on
types only, never on values, so that it can be differentiated and traced.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import sympy

from pinnkit.language.backends import Backend, numpy_backend, torch_backend
from pinnkit.language.constructors import sigmoid, softplus
from pinnkit.language.integral import Integral
from pinnkit.language.known import Known
from pinnkit.language.partial import Partial, as_expression

Array = Any  # numpy.ndarray or torch.Tensor
_CHAIN = 16  # integer powers up to this one are products
_EPSILON = sys.float_info.epsilon

_UNARY = {
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.asin: "asin",
    sympy.acos: "acos",
    sympy.atan: "atan",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.tanh: "tanh",
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.Abs: "abs",
    sympy.sign: "sign",
    sympy.erf: "erf",
    sigmoid: "sigmoid",
    softplus: "softplus",
    sympy.Not: "not",
}
_BINARY = {
    sympy.atan2: "atan2",
    sympy.Heaviside: "heaviside",
    sympy.StrictLessThan: "lt",
    sympy.LessThan: "le",
    sympy.StrictGreaterThan: "gt",
    sympy.GreaterThan: "ge",
    sympy.Equality: "eq",
    sympy.Unequality: "ne",
}
_FOLDED = {sympy.Max: "max", sympy.Min: "min", sympy.And: "and", sympy.Or: "or"}


class MissingValueError(KeyError):
    """A program was run without a value for one of its atoms."""

    def __str__(self) -> str:
        return str(self.args[0])


class Program:
    """Several expressions as one straight-line program over arrays, common subexpressions computed once.

    `atoms` are the symbols, partial derivatives and integrals that it reads. Calling it with a value for each gives one
    result for each expression, of the values' kind, dtype and broadcast shape; a constant expression gives a
    Python float and a condition a mask. A value may also be a Python number. Reals only: what has no real
    value is NaN or infinite, without a warning.

    Raises TypeError at construction where an expression holds something that has no real numerical meaning.

    >>> x = sympy.Symbol("x", real=True)
    >>> Program([x**2, 1 / (1 + x**2), sympy.pi])({x: np.array([1.0, 3.0])})
    [array([1., 9.]), array([0.5, 0.1]), 3.141592653589793]
    """

    def __init__(self, expressions: Sequence[sympy.Basic]):
        self._code: list[tuple[str, tuple[int, ...]]] = []  # the operation and the slots it reads; it fills the next
        self._slots: dict[tuple, int] = {}
        self._constants: dict[int, float | bool] = {}
        self._known: dict[sympy.Basic, int] = {}
        self._inputs: dict[sympy.Basic, int] = {}
        self._results = [self._compile(as_expression(one)) for one in expressions]
        self.atoms: tuple[sympy.Basic, ...] = tuple(sorted(self._inputs, key=lambda a: (type(a).__name__, str(a))))
        del self._slots, self._known

    def __call__(self, values: Mapping[sympy.Basic, Array]) -> list[Array | float]:
        slots: list[Any] = [None] * len(self._code)
        for atom, slot in self._inputs.items():
            if atom not in values:
                raise MissingValueError(f"no value for {atom}; needed are {', '.join(map(str, self.atoms))}")
            slots[slot] = values[atom]
        backend = _backend_of([slots[slot] for slot in self._inputs.values()])
        for slot, number in self._constants.items():
            slots[slot] = number
        with np.errstate(all="ignore"):
            for slot, (operation, reads) in enumerate(self._code):
                if operation != "given":
                    slots[slot] = backend.run(operation, *(slots[read] for read in reads))
        return [slots[slot] for slot in self._results]

    def bounded(
        self, values: Mapping[sympy.Basic, Array], errors: Mapping[sympy.Basic, Array]
    ) -> list[tuple[Array, Array]]:
        """Each result on NumPy arrays, and a first-order bound on its rounding error.

        `errors` are those of the values, 0 where it has none. Each operation is rounded once, and propagates the
        errors of its arguments.
        """
        backend = numpy_backend([value for value in values.values() if isinstance(value, np.ndarray)])
        slots: list[tuple[Any, Any]] = [(0.0, 0.0)] * len(self._code)
        for atom, slot in self._inputs.items():
            slots[slot] = values[atom], errors.get(atom, 0.0)
        for slot, number in self._constants.items():
            slots[slot] = number, 0.0 if float(number).is_integer() else _EPSILON * abs(number)
        with np.errstate(all="ignore"):
            for slot, (operation, reads) in enumerate(self._code):
                if operation != "given":
                    slots[slot] = _rounded(backend, operation, [slots[read] for read in reads])
        return [slots[slot] for slot in self._results]

    def _compile(self, expr: sympy.Basic) -> int:
        if expr not in self._known:
            self._known[expr] = self._lower(expr)
        return self._known[expr]

    def _lower(self, expr: sympy.Basic) -> int:
        if isinstance(expr, sympy.Symbol | Partial | Known | Integral):
            self._inputs[expr] = self._given(("atom", expr))
            return self._inputs[expr]
        if expr in (sympy.true, sympy.false):
            return self._constant(bool(expr))
        if expr.is_Number or expr.is_NumberSymbol:
            if not expr.is_extended_real:
                raise TypeError(f"{expr} is not a real number")
            return self._constant(float(expr))
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow:
            return self._power(expr.base, expr.exp)
        if isinstance(expr, sympy.Piecewise):
            return self._piecewise(expr)
        kind = expr.func
        name = _UNARY.get(kind) or _BINARY.get(kind)
        if name:
            return self._emit(name, *map(self._compile, expr.args))
        if kind in _FOLDED:
            first, *rest = map(self._compile, expr.args)
            for other in rest:
                first = self._emit(_FOLDED[kind], first, other)
            return first
        if kind is sympy.ITE:
            return self._emit("where", *map(self._compile, expr.args))
        raise TypeError(f"{expr} cannot be evaluated: {kind.__name__} has no numerical meaning here")

    def _given(self, key: tuple) -> int:
        if key not in self._slots:
            self._slots[key] = len(self._code)
            self._code.append(("given", ()))
        return self._slots[key]

    def _constant(self, number: float | bool) -> int:
        # True == 1.0 and 0.0 == -0.0 as keys, but not as values
        slot = self._given(("constant", type(number), number, math.copysign(1, number)))
        self._constants[slot] = number
        return slot

    def _emit(self, operation: str, *reads: int) -> int:
        if all(read in self._constants for read in reads):
            with np.errstate(all="ignore"):
                return self._constant(numpy_backend().run(operation, *(self._constants[read] for read in reads)))
        if operation in ("add", "mul", "max", "min", "and", "or"):
            reads = tuple(sorted(reads))
        key = (operation, *reads)
        if key not in self._slots:
            self._slots[key] = len(self._code)
            self._code.append((operation, reads))
        return self._slots[key]

    def _sum(self, expr: sympy.Add) -> int:
        total: int | None = None
        negated = []
        for term in expr.args:
            if term.as_coeff_Mul()[0] < 0:
                negated.append(self._compile(-term))
                continue
            slot = self._compile(term)
            total = slot if total is None else self._emit("add", total, slot)
        for slot in negated:
            total = self._emit("neg", slot) if total is None else self._emit("sub", total, slot)
        assert total is not None
        return total

    def _product(self, expr: sympy.Mul) -> int:
        """Coefficient times numerator over denominator."""
        over: int | None = None
        under: int | None = None
        coefficient = 1.0
        for factor in expr.args:
            if factor.is_Rational:
                coefficient = float(factor)
            elif factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
                slot = self._power(factor.base, -factor.exp)
                under = slot if under is None else self._emit("mul", under, slot)
            else:
                slot = self._compile(factor)
                over = slot if over is None else self._emit("mul", over, slot)
        if over is None:
            return self._emit("div", self._constant(coefficient), cast(int, under))
        if abs(coefficient) != 1:
            over = self._emit("mul", self._constant(coefficient), over)
        elif coefficient == -1:
            over = self._emit("neg", over)
        return over if under is None else self._emit("div", over, under)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> int:
        if base == sympy.E:
            return self._emit("exp", self._compile(exponent))
        slot = self._compile(base)
        if exponent.is_Rational and exponent.q <= 2 and abs(exponent) <= _CHAIN:
            whole = abs(exponent.p) // exponent.q
            result = self._chain(slot, whole) if whole else None
            if exponent.q == 2:
                root = self._emit("sqrt", slot)
                result = root if result is None else self._emit("mul", result, root)
            assert result is not None
            return result if exponent > 0 else self._emit("div", self._constant(1.0), result)
        return self._emit("pow", slot, self._compile(exponent))

    def _chain(self, slot: int, power: int) -> int:
        """slot**power by repeated squaring: x**3 is x*x*x, x**4 the square of x*x."""
        if power == 1:
            return slot
        half = self._chain(slot, power // 2)
        square = self._emit("mul", half, half)
        return self._emit("mul", square, slot) if power % 2 else square

    def _piecewise(self, expr: sympy.Piecewise) -> int:
        *pairs, last = expr.args
        otherwise = self._compile(last.expr)
        if last.cond != sympy.true:
            otherwise = self._emit("where", self._compile(last.cond), otherwise, self._constant(math.nan))
        for pair in reversed(pairs):
            otherwise = self._emit("where", self._compile(pair.cond), self._compile(pair.expr), otherwise)
        return otherwise


def _rounded(backend: Backend, operation: str, arguments: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    """The value of an operation and its error, from (value, error) of its arguments."""
    values = [value for value, _ in arguments]
    result = backend.run(operation, *values)
    if np.asarray(result).dtype == bool:
        return result, 0.0
    error = _EPSILON * np.abs(result)
    for place, (value, inner) in enumerate(arguments):
        if np.asarray(value).dtype != bool and np.any(inner):
            moved = [
                backend.run(operation, *values[:place], value + by, *values[place + 1 :]) for by in (inner, -inner)
            ]
            change = np.fmax(*(np.abs(np.subtract(one, result)) for one in moved))
            error = error + np.fmax(change, 0.0)  # 0 where there is no value to compare with
    return result, error


def _backend_of(values: Sequence[Any]) -> Backend:
    torch = sys.modules.get("torch")  # whoever passes a tensor has imported it
    tensors = [value for value in values if torch is not None and isinstance(value, torch.Tensor)]
    if tensors:
        return torch_backend(tensors)
    return numpy_backend([value for value in values if isinstance(value, np.ndarray)])
