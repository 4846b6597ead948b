"""SQL92 expressions, compiled and evaluated by both implementations."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from rocketmq_tw.filter.sql92.comparison import CannotCompare
from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.filter.sql92.numbers import NotANumber
from rocketmq_tw.model.subscription import IllegalSubscription
from rocketmq_tw.wire import properties

from . import apache
from .expressions import MESSAGES, table
from .lab import Lab


def _evaluated(text: str) -> list[str] | None:
    """Evaluate an expression for all messages; None if it is refused."""
    try:
        compiled = compile_sql(text)
    except IllegalSubscription:
        return None
    results = []
    for message in MESSAGES:
        try:
            value = compiled.evaluate(message.get)
        except (NotANumber, CannotCompare):
            results.append("error")
        else:
            results.append("null" if value is None else str(value).lower())
    return results


def _encoded(text: str) -> str:
    """Encode a text without blanks."""
    return b64encode(text.encode()).decode()


def test_expressions_have_the_results_of_apache(lab: Lab) -> None:
    """Each expression is refused by both, or gives the same for every message."""
    program = apache.program("v55", "EvaluateFilters", lab.scratch)
    messages = " ".join(_encoded(properties.encode(each)) for each in MESSAGES)
    texts = table(1500)
    lines = [f"{_encoded(text)} {messages}" for text in texts]
    program.ask("\n".join(lines), "filter")
    program.wait_for("filter", len(texts))
    program.stop()
    different: list[Any] = []
    for text, response in zip(texts, program.events("filter"), strict=True):
        theirs, ours = response.get("results"), _evaluated(text)
        if ours != theirs:
            different.append((text, ours, theirs or response["error"]))
    assert different == []
