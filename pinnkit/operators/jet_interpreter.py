"""Interpreter that runs a graph of ATen operations on jets."""

from __future__ import annotations

from operator import getitem
from typing import Any

from torch.fx import GraphModule, Interpreter
from torch.utils._pytree import tree_map

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.rules import arithmetic, batched, linear, normalisation, pointwise
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
        varying = [type(leaf) for leaf in leaves((args, kwargs)) if isinstance(leaf, Jet | batched.BatchFirst)]
        if not varying:
            return super().call_function(target, args, kwargs)
        packet = getattr(target, "overloadpacket", target)
        if batched.exchanges(packet, args):
            return batched.exchanged(self.algebra, args[0])
        if batched.BatchFirst in varying:
            return self._by_rule(batched.RULES, packet, target, args, kwargs)
        if packet in linear.LINEAR:
            return linear.apply_linear(self.algebra, target, args, kwargs)
        if packet in pointwise.ZERO_DERIVATIVE:
            return target(*_values(args), **_values(kwargs))
        return self._by_rule(RULES, packet, target, args, kwargs)

    def _by_rule(self, rules: dict[Any, Rule], packet: Any, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        rule = rules.get(packet)
        if rule is None:
            raise MissingRuleError(str(target))
        return rule(self.algebra, target, *args, **kwargs)


def _values(tree: Any) -> Any:
    return tree_map(value_of, tree, is_leaf=lambda one: isinstance(one, Jet))
