"""
The words of the project: identifiers and prose use the field's plain English.

A newcomer should never have to learn a private word. Each pattern stands for a word
that had crept in; beside it is the one that the field uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw

PACKAGE = Path(rocketmq_tw.__file__).parent
ROOT = PACKAGE.parent

#: In docstrings, comments, logs and documents.
PROSE = {
    r"mend(s|ed|ing)?": "repair, rebuild",
    r"borne out|bears? (it|that) out": "verified",
    r"anew": "again, rebuilt",
    r"told|tells": "reported, notified, says",
    r"greet(s|ed|ing)?": "heartbeat",
    r"farewell": "unregister",
    r"misfit": "cannot be converted",
    r"redraft": "copy for redelivery",
    r"hand(s|ed)? over": "dispatch",
    r"shared? out": "rebalance",
    r"under way|on its way": "in flight",
    r"proven|proofs?": "verified",
    r"the original": "Apache RocketMQ",
    r"crowded": "over the in-flight limit",
}
#: In identifiers, as a whole part of one: ``_answer_later``, ``LateDispatch``.
PARTS = {
    "answer": "response",
    "answered": "responded",
    "anew": "again",
    "beside": "run_in_thread",
    "crowded": "over_limit",
    "doubt": "mark_unsynced",
    "elsewhere": "run_in_thread",
    "farewell": "unregister",
    "forced": "flushed",
    "foreign": "other_protocol",
    "greet": "heartbeat",
    "greeted": "heartbeat",
    "mend": "repair",
    "misfit": "convert",
    "packed": "compressed",
    "place": "offset, position",
    "places": "offsets",
    "proof": "verify",
    "prove": "verify",
    "proven": "verified",
    "redraft": "copy_for_redelivery",
    "settle": "resolve, drain, apply",
    "shown": "log_safe",
    "soon": "schedule",
    "sound": "healthy",
    "stuck": "paused",
    "suspect": "mark_unresponsive",
    "tell": "report, notify",
    "told": "reported, notified",
    "unproven": "unverified",
    "walk": "scan",
}
_PROSE = re.compile(r"\b(" + "|".join(PROSE) + r")\b", re.IGNORECASE)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give every name that the source defines, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name | ast.Attribute):
            if isinstance(node.ctx, ast.Store):
                name = node.id if isinstance(node, ast.Name) else node.attr
                yield name, node.lineno


class WordTests(SynchronousTestCase):
    """No private word comes back."""

    def test_prose(self) -> None:
        """Sources and documents are written in the field's words."""
        paths = [*PACKAGE.rglob("*.py"), *(ROOT / "doc").rglob("*.rst")]
        wrong = [
            f"{path.relative_to(ROOT)}:{number} {match.group(0)}"
            for path in sorted([*paths, ROOT / "README.rst"])
            for number, line in enumerate(path.read_text().splitlines(), 1)
            for match in _PROSE.finditer(line)
        ]
        self.assertEqual(wrong, [])

    def test_identifiers(self) -> None:
        """Names are made of the field's words."""
        wrong = [
            f"{path.relative_to(ROOT)}:{line} {name}"
            for path in sorted(PACKAGE.rglob("*.py"))
            for name, line in identifiers(ast.parse(path.read_text()))
            if any(part.lower() in PARTS for part in _PART.findall(name))
        ]
        self.assertEqual(wrong, [])
