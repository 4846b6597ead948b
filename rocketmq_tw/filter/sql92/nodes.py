"""
The parts of an SQL92 expression, and which of them may be combined.

Each function makes a node of others, or refuses: a consumer learns of a text that is
ordered, of a comparison with NULL or of an operand of AND that is no condition when it
subscribes.

Source: ``ComparisonExpression``, ``LogicExpression`` and ``UnaryExpression`` of
RocketMQ 5.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from enum import Enum, auto

import msgspec

from rocketmq_tw.filter.sql92 import evaluation
from rocketmq_tw.filter.sql92.comparison import Value, compare
from rocketmq_tw.filter.sql92.evaluation import Evaluate

#: How deep an expression may be nested: parentheses, signs and NOTs, and chains of
#: comparisons whose left side is a comparison.
MAX_DEPTH = 64


class NotAllowed(ValueError):
    """Parts of an expression cannot be combined; the reason is a clause."""


class Kind(Enum):
    """What a node is."""

    CONSTANT = auto()
    NAME = auto()
    CONDITION = auto()
    #: Something with a sign before it.
    SIGNED = auto()


class Node(msgspec.Struct, frozen=True):
    """
    A compiled part of an expression.

    :ivar value: that of a constant; the name of a property.
    :ivar depth: how many nodes one branch below it has.
    """

    kind: Kind
    evaluate: Evaluate
    value: Value = None
    depth: int = 0

    @property
    def is_constant(self) -> bool:
        """Whether it is written as a value."""
        return self.kind is Kind.CONSTANT

    @property
    def is_condition(self) -> bool:
        """Whether it is TRUE, FALSE or NULL whatever the message is."""
        if self.kind is Kind.CONSTANT:
            return self.value is None or isinstance(self.value, bool)
        return self.kind is Kind.CONDITION


def constant(value: Value) -> Node:
    """Make a node of a text, a number, TRUE, FALSE or NULL."""
    return Node(Kind.CONSTANT, evaluation.constant(value), value)


def name(text: str) -> Node:
    """Make a node of the name of a property."""
    return Node(Kind.NAME, evaluation.property_of(text), text)


def condition(node: Node) -> Node:
    """
    Make a condition of a node; a name becomes one that is never TRUE.

    :raises NotAllowed: it is a text, a number or has a sign.
    """
    if node.is_condition:
        return node
    if node.kind is Kind.NAME:
        return _condition(evaluation.truth_of(node.evaluate), node)
    raise NotAllowed("a condition is expected, not a value")


def negated(node: Node) -> Node:
    """Make a node with a minus sign before it."""
    evaluate = evaluation.negated(node.evaluate)
    return Node(Kind.SIGNED, evaluate, depth=_deeper(node))


def inverse(node: Node) -> Node:
    """Make the NOT of a condition."""
    node = condition(node)
    return _condition(evaluation.inverse(node.evaluate), node)


def joined(
    join: Callable[[Sequence[Evaluate]], Evaluate], nodes: Sequence[Node]
) -> Node:
    """Make the AND or OR of at least two conditions; a lone node stays what it is."""
    if len(nodes) == 1:
        return nodes[0]
    parts = [condition(each) for each in nodes]
    return _condition(join([each.evaluate for each in parts]), *parts)


def equal(left: Node, right: Node) -> Node:
    """Make a comparison by ``=``."""
    for side in (left, right):
        if side.is_constant and side.value is None:
            raise NotAllowed("NULL cannot be compared; write IS NULL")
    both_constant = left.is_constant and right.is_constant
    if both_constant and left.is_condition and not right.is_condition:
        raise NotAllowed("a boolean cannot be compared with another value")
    if left.kind is Kind.NAME and right.is_constant and isinstance(right.value, str):
        return _condition(evaluation.equal_to_text(left.evaluate, right.value), left)
    return _condition(evaluation.equal(left.evaluate, right.evaluate), left, right)


def ordered(left: Node, test: Callable[[int, int], bool], right: Node) -> Node:
    """Make a comparison by ``<`` and its like."""
    for side in (left, right):
        _check_ordered(side)
    evaluate = evaluation.ordered(left.evaluate, right.evaluate, test)
    return _condition(evaluate, left, right)


def between(node: Node, low: Node, high: Node) -> Node:
    """Make a BETWEEN, which includes both bounds."""
    _check_bounds(low, high)
    parts = [ordered(node, operator.ge, low), ordered(node, operator.le, high)]
    return joined(evaluation.all_of, parts)


def outside(node: Node, low: Node, high: Node) -> Node:
    """Make a NOT BETWEEN; whatever its bounds are, as with Apache RocketMQ."""
    parts = [ordered(node, operator.lt, low), ordered(node, operator.gt, high)]
    return joined(evaluation.any_of, parts)


def is_null(node: Node) -> Node:
    """Make an IS NULL."""
    return _condition(evaluation.is_null(node.evaluate), node)


def one_of(node: Node, texts: Sequence[str]) -> Node:
    """Make an IN."""
    if node.kind is not Kind.NAME:
        raise NotAllowed("only a name may be before IN")
    return _condition(evaluation.one_of(str(node.value), frozenset(texts)), node)


def searched(
    node: Node, found: Callable[[str, str], bool], text: str, expected: bool
) -> Node:
    """Make a CONTAINS, STARTSWITH or ENDSWITH, or its NOT form."""
    return _condition(evaluation.searched(node.evaluate, found, text, expected), node)


def _check_ordered(node: Node) -> None:
    """Refuse what has no order."""
    if node.is_condition:
        raise NotAllowed("a condition, a boolean or NULL cannot be ordered")
    if node.is_constant and isinstance(node.value, str):
        raise NotAllowed(f"the text '{node.value:.40}' cannot be ordered")


def _check_bounds(low: Node, high: Node) -> None:
    """Refuse constant bounds in the wrong order."""
    if not (low.is_constant and high.is_constant):
        return
    for side in (low, high):
        _check_ordered(side)
    if (compare(low.value, high.value) or 0) > 0:
        raise NotAllowed(f"BETWEEN {low.value} AND {high.value} contains nothing")


def _condition(evaluate: Evaluate, *parts: Node) -> Node:
    """Make a condition of some parts."""
    return Node(Kind.CONDITION, evaluate, depth=_deeper(*parts))


def _deeper(*parts: Node) -> int:
    """
    Return the depth of a node above these.

    :raises NotAllowed: it is too deep.
    """
    depth = 1 + max(part.depth for part in parts)
    if depth > MAX_DEPTH:
        raise NotAllowed(f"the expression is nested more than {MAX_DEPTH} deep")
    return depth
