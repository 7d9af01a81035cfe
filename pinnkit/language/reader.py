"""Reader of expressions: a walk over Python's syntax tree, one method for each kind of node allowed."""

from __future__ import annotations

import ast
import copy
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, cast

import sympy

from pinnkit.language import arithmetic, calculus, complex_functions, complex_values, constructors, vectors
from pinnkit.language.arithmetic import Value
from pinnkit.language.complex_values import Complex, Scalar, imaginary_part, real_part
from pinnkit.language.errors import LanguageError, suggestion
from pinnkit.language.functions import FORMULAS, FUNCTIONS, SYNONYMS, expect_arguments
from pinnkit.language.integral import all_partials, integrals
from pinnkit.language.integration import read_over
from pinnkit.language.jumps import check_continuous
from pinnkit.language.names import CONSTANTS, Scope, halves, resolve
from pinnkit.language.partial import MAX_ORDER, Partial, partials
from pinnkit.language.tokens import MAX_DEPTH, Source, Token, name_of
from pinnkit.language.vectors import Vector

_RELATIONS = {ast.Lt: sympy.Lt, ast.LtE: sympy.Le, ast.Gt: sympy.Gt, ast.GtE: sympy.Ge}


def _located(method: Callable) -> Callable:
    """Add the position of the node to a LanguageError raised inside, unless it has one."""

    @functools.wraps(method)
    def visit(self: Reader, node: ast.AST, *rest: Any) -> Any:
        try:
            return method(self, node, *rest)
        except LanguageError as error:
            if error.position is not None:
                raise
            raise LanguageError(error.message, self.text, self._position(node)) from None

    return visit


class Reader:
    """Reads token sequences of one text in one scope; their derivatives share one budget of operations."""

    def __init__(self, text: str, scope: Scope):
        self.text = text
        self.scope = scope
        self._budget = calculus.Budget(guard=lambda expr, name: check_continuous(expr, name, scope.ranges))
        self._source: Source | None = None

    def scalar(self, tokens: Sequence[Token]) -> sympy.Expr:
        """The real scalar expression that `tokens` write."""
        value = self.value(tokens)
        if isinstance(value, Complex):
            message = "this is complex, where a real number belongs; take re(...), im(...) or abs(...) of it"
            raise LanguageError(message, self.text, tokens[0].position)
        return value.expr

    def value(self, tokens: Sequence[Token]) -> Scalar:
        """The scalar that `tokens` write, real or complex."""
        node = self._parse(tokens)
        value = self._visit(node, 0)
        if isinstance(value, Vector):
            names = ", ".join(f"d/d{name}" for name in self.scope.space)
            hint = f"write one equation for each component ({names}), or use dot(...) or div(...)"
            raise self._mistake(f"this is a vector, where a scalar belongs; {hint}", node)
        return value

    def number(self, tokens: Sequence[Token]) -> float:
        """The value of the constant that `tokens` write."""
        return self._visit(self._parse(tokens), 0).number

    def condition(self, tokens: Sequence[Token]) -> sympy.Basic:
        """The condition that `tokens` write."""
        return self._condition(self._parse(tokens), 0)

    def _parse(self, tokens: Sequence[Token]) -> ast.expr:
        self._source = Source(tokens)
        code = self._source.code
        try:
            return ast.parse(code, mode="eval").body
        except SyntaxError as error:
            place = self._source.position((error.offset or 1) - 1)
            hint = "; inside brackets '=' only names a coordinate, as in u(x=0)" if "=" in code else ""
            if hint and "integral(" in self.text:
                hint += ", and the bounds of an integral follow its coordinate, as in integral(u, x, 0, 1)"
            raise LanguageError(f"this cannot be read{hint}", self.text, place) from None
        except (RecursionError, MemoryError):
            message = "the expression is nested too deeply"
            raise LanguageError(message, self.text, tokens[0].position) from None

    def _position(self, node: ast.AST) -> int:
        assert self._source is not None
        return self._source.position(cast(ast.expr, node).col_offset)

    def _mistake(self, message: str, node: ast.AST) -> LanguageError:
        return LanguageError(message, self.text, self._position(node))

    @_located
    def _visit(self, node: ast.expr, depth: int) -> Scalar | Vector:
        if depth > MAX_DEPTH:
            raise LanguageError(f"the expression is nested deeper than {MAX_DEPTH}")
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return arithmetic.constant(cast(float, node.value))
        if (name := name_of(node)) is not None:
            return self._name(name)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self._visit(node.operand, depth + 1)
            return value if isinstance(node.op, ast.UAdd) else vectors.each(complex_values.negative, value)
        if isinstance(node, ast.BinOp):
            return self._operation(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        if isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
            raise LanguageError("a condition stands only inside where(condition, a, b)")
        if isinstance(node, ast.Tuple):
            raise LanguageError("a comma stands only between the arguments of a function")
        raise LanguageError(f"{type(node).__name__} is not part of the language")

    def _scalar(self, node: ast.expr, depth: int, what: str) -> Scalar:
        value = self._visit(node, depth)
        if isinstance(value, Vector):
            raise self._mistake(f"{what} needs a scalar, and this is a vector", node)
        return value

    def _real(self, node: ast.expr, depth: int, what: str) -> Value:
        value = self._scalar(node, depth, what)
        if isinstance(value, Complex):
            message = f"{what} needs real numbers, and this is complex: take re(...), im(...) or abs(...) of it"
            raise self._mistake(message, node)
        return value

    def _name(self, name: str) -> Scalar:
        expr = resolve(name, self.scope)
        if name in self.scope.definitions:
            return arithmetic.make_value(expr, float(expr) if expr.is_number else None)
        if not self.scope.complex:
            return Value(expr, float(expr) if expr in CONSTANTS.values() else None)
        if expr == sympy.I:
            return complex_values.IMAGINARY_UNIT
        re, im = halves(expr, self.scope)
        return complex_values.pair(Value(re, float(re) if re in CONSTANTS.values() else None), Value(im))

    def _operation(self, node: ast.BinOp, depth: int) -> Scalar | Vector:
        if isinstance(node.op, ast.Pow):
            base = self._scalar(node.left, depth + 1, "a power")
            return complex_values.power(base, self._scalar(node.right, depth + 1, "a power"))
        kinds = (ast.Add, ast.Sub) if isinstance(node.op, ast.Add | ast.Sub) else (ast.Mult, ast.Div)
        if not isinstance(node.op, kinds):
            raise LanguageError(f"{type(node.op).__name__} is not an operator of the language")
        # a long sum or product is one row, however deep Python nests it
        row: list[tuple[ast.operator, ast.expr]] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and isinstance(first.op, kinds):
            row.append((first.op, first.right))
            first = first.left
        values = [self._visit(first, depth + 1)]
        values += [self._operand(operand, operator, depth + 1) for operator, operand in reversed(row)]
        return vectors.add(values) if kinds[0] is ast.Add else vectors.multiply(values)

    @_located
    def _operand(self, node: ast.expr, operator: ast.operator, depth: int) -> Scalar | Vector:
        if isinstance(operator, ast.Div):
            return complex_values.reciprocal(self._scalar(node, depth, "a division"))
        value = self._visit(node, depth)
        return vectors.each(complex_values.negative, value) if isinstance(operator, ast.Sub) else value

    def _call(self, node: ast.Call, depth: int) -> Scalar | Vector:
        name, scope = name_of(node.func), self.scope
        if name is None:
            raise LanguageError("only a function or a field can stand before '('")
        if name in FUNCTIONS and name not in scope.declared:
            return self._function(node, depth + 1)
        if name.split("_")[0] in scope.tables or name in scope.tables:
            raise LanguageError(f"'{name}' cannot be evaluated elsewhere: a table is known at the point itself")
        if name not in scope.fields and name in (*scope.declared, *CONSTANTS):
            raise LanguageError(f"'{name}' is not a function; a product is written {name}*(...)")
        try:
            of = resolve(name, scope)
        except LanguageError:
            if "." in name or any(name.startswith(f"{one}_") for one in scope.fields):
                raise
            near = suggestion(name, (*FUNCTIONS, *scope.fields), SYNONYMS)
            near = f"; write {FORMULAS[name]}" if name in FORMULAS else near
            raise LanguageError(f"unknown function '{name}'{near}") from None
        return self._elsewhere(name, node, of, depth + 1)

    def _function(self, node: ast.Call, depth: int) -> Scalar | Vector:
        name = cast(ast.Name, node.func).id
        if node.keywords:
            raise LanguageError(f"{name} takes no named arguments: {FUNCTIONS[name]}")
        if name == "where":
            return self._where(node.args, depth)
        if name == "diff":
            return self._diff(node.args, depth)
        if name == "integral":
            return self._integral(node.args, depth)
        if complex_functions.is_function_of_scalars(name):
            return complex_functions.call(name, [self._scalar(one, depth, name) for one in node.args])
        values = [self._visit(one, depth) for one in node.args]
        return vectors.apply(name, values, self.scope, self._budget)

    def _elsewhere(self, name: str, node: ast.Call, of: sympy.Expr, depth: int) -> Scalar:
        if not isinstance(of, Partial):
            raise LanguageError(f"'{name}' cannot be evaluated elsewhere: the normal is that of the point itself")
        if node.args or not node.keywords:
            place = of.coordinates[0] if of.coordinates else "x"
            raise LanguageError(f"write '{name}' without arguments; elsewhere it is {name}({place}=0)")
        at = {}
        for keyword in node.keywords:
            if keyword.arg not in of.coordinates:
                hint = suggestion(keyword.arg or "", of.coordinates)
                if keyword.arg in self.scope.fields:
                    hint = f"{keyword.arg}' is a field: a place names coordinates alone, {', '.join(of.coordinates)}"
                    raise self._mistake(f"'{hint}", keyword)
                raise self._mistake(f"{of.field} does not depend on '{keyword.arg}'{hint}", keyword)
            if keyword.arg in at:
                raise self._mistake(f"'{keyword.arg}' is given twice", keyword)
            value = self._real(keyword.value, depth, f"{name}({keyword.arg}=...)").expr
            if partials(value):
                message = "the place where a field is evaluated cannot depend on a field"
                raise self._mistake(message, keyword.value)
            at[keyword.arg] = value
        return complex_values.pair(
            *map(Value, halves(Partial(of.field, of.coordinates, of.derivative, at), self.scope))
        )

    def _where(self, args: Sequence[ast.expr], depth: int) -> Scalar:
        expect_arguments("where", len(args), 3)
        condition = self._condition(args[0], depth)
        first, second = (self._scalar(one, depth, "where") for one in args[1:])
        if condition in (sympy.true, sympy.false):
            return first if condition == sympy.true else second
        choices = [(half(first).expr, half(second).expr) for half in (real_part, imaginary_part)]
        both = [constructors.piecewise((one, condition), (other, sympy.true)) for one, other in choices]
        return complex_values.pair(*map(arithmetic.make_value, both))

    @_located
    def _condition(self, node: ast.expr, depth: int) -> sympy.Basic:
        if depth > MAX_DEPTH:
            raise LanguageError(f"the condition is nested deeper than {MAX_DEPTH}")
        if isinstance(node, ast.BoolOp):
            parts = [self._condition(one, depth + 1) for one in node.values]
            return constructors.logical(sympy.And if isinstance(node.op, ast.And) else sympy.Or, *parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return constructors.logical(sympy.Not, self._condition(node.operand, depth + 1))
        if not isinstance(node, ast.Compare):
            raise LanguageError("a condition belongs here: a comparison such as x > 0.5, with and, or, not")
        operands = (node.left, *node.comparators)
        sides = [self._real(one, depth + 1, "a comparison") for one in operands]
        for side, operand in zip(sides, operands, strict=True):
            if side.expr.has(sympy.Piecewise):  # SymPy would unfold it
                raise self._mistake("where(...) cannot stand inside a condition", operand)
        parts = []
        for operator, a, b in zip(node.ops, sides, sides[1:], strict=False):
            known = a.number is not None and b.number is not None  # compared as floats, else left as written
            pair = (sympy.Float(a.number), sympy.Float(b.number)) if known else (a.expr, b.expr)
            parts.append(constructors.relation(_RELATIONS[type(operator)], *pair))
        return constructors.logical(sympy.And, *parts)

    def _diff(self, args: Sequence[ast.expr], depth: int) -> Scalar:
        if len(args) < 2:
            raise LanguageError(f"diff takes an expression and coordinates: {FUNCTIONS['diff']}")
        value = self._scalar(args[0], depth, "diff")
        vectors.check_differentiable("diff", value, self.scope)
        by: list[str] = []
        for before, node in itertools.pairwise(args):
            if isinstance(node, ast.Name) and node.id in self.scope.coordinates:
                by.append(node.id)
            elif by and isinstance(before, ast.Name) and self._is_count(node):
                by.extend([by[-1]] * (cast(Any, node).value - 1))
            else:
                rule = f"a coordinate belongs here, or after one how often (1 to {MAX_ORDER})"
                hint = suggestion(node.id if isinstance(node, ast.Name) else "", self.scope.coordinates)
                raise self._mistake(f"diff: {rule}{hint}", node)
        slopes = [calculus.differentiate(one, *by, budget=self._budget) for one in vectors.expressions(value)]
        return complex_values.pair(*map(arithmetic.make_value, (*slopes, sympy.S.Zero)[:2]))

    def _integral(self, args: Sequence[ast.expr], depth: int) -> Scalar:
        over = read_over(args, self.scope)
        inner = copy.copy(self)
        inner.scope = over.scope
        bodies = vectors.expressions(inner._scalar(args[0], depth, "integral"))
        if any(map(integrals, bodies)):
            rule = "an integral cannot stand inside another; over several coordinates it is integral(a, domain)"
            raise self._mistake(rule, args[0])
        bounds = [self._real(one, depth, "a bound of an integral").expr for one in args[2:]]
        for bound, node in zip(bounds, args[2:], strict=True):
            if all_partials(bound) or integrals(bound):
                raise self._mistake("the bounds of an integral cannot depend on a field", node)
        found = over.integrals(bodies, bounds)
        return complex_values.pair(*map(arithmetic.make_value, (*found, sympy.S.Zero)[:2]))

    @staticmethod
    def _is_count(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and type(node.value) is int and 0 < node.value <= MAX_ORDER
