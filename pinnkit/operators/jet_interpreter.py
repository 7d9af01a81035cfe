"""Interpreter that runs a graph of ATen operations on jets."""

from __future__ import annotations

from operator import getitem
from typing import Any

from torch.fx import GraphModule, Interpreter
from torch.utils._pytree import tree_map

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.rules import arithmetic, linear, normalisation, pointwise
from pinnkit.operators.rules.common import MissingRuleError, Rule, leaves, value_of

RULES: dict[Any, Rule] = {
    **linear.RULES,
    **arithmetic.RULES,
    **pointwise.RULES,
    **normalisation.RULES,
    getitem: lambda algebra, target, results, place: results[place],
}
"""Operation -> its rule; those of `linear.LINEAR` and `pointwise.ZERO_DERIVATIVE` need none of their own."""


class JetInterpreter(Interpreter):
    """Runs a graph on jets; what does not depend on the points stays a plain tensor."""

    def __init__(self, graph: GraphModule, algebra: JetAlgebra) -> None:
        super().__init__(graph)
        self.algebra = algebra
        self.extra_traceback = False  # torch would add the graph's source to the message of a missing rule

    def call_function(self, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        if not any(isinstance(leaf, Jet) for leaf in leaves((args, kwargs))):
            return super().call_function(target, args, kwargs)
        packet = getattr(target, "overloadpacket", target)
        if packet in linear.LINEAR:
            return linear.apply_linear(self.algebra, target, args, kwargs)
        if packet in pointwise.ZERO_DERIVATIVE:
            return target(*_values(args), **_values(kwargs))
        rule = RULES.get(packet)
        if rule is None:
            raise MissingRuleError(str(target))
        return rule(self.algebra, target, *args, **kwargs)


def _values(tree: Any) -> Any:
    return tree_map(value_of, tree, is_leaf=lambda one: isinstance(one, Jet))
