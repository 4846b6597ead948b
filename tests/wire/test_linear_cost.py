"""
No text costs its reader more than linear work.

Work is counted, not timed: the steps of the regular expressions by an interpreter of
their own, the rest by its function calls.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire import fastjson, fields, json_references, lenient_json
from rocketmq_tw.wire.bodies import kvtable
from tests.wire.regex_steps import match_steps, search_steps

#: Steps or calls that one character may cost. A long number is looked for in windows
#: of 19 digits, which is the most expensive that is done.
BUDGET = 48
#: So many repetitions that quadratic work exceeds the budget several times.
REPEATS = 200

#: Patterns that are matched once, where a value begins; failure ends the reading.
MATCHED = {
    each.pattern
    for each in (
        lenient_json._BLANK,
        lenient_json._BLANK_AND_COMMAS,
        lenient_json._DOUBLE_QUOTED,
        lenient_json._SINGLE_QUOTED,
        lenient_json._NUMBER,
        lenient_json._IDENTIFIER,
        lenient_json._PLAIN_ITEM,
        lenient_json._PLAIN_MEMBER,
    )
}
#: Patterns that look for their next match wherever one fails.
SEARCHED = {
    value.pattern
    for module in (fastjson, lenient_json, json_references, kvtable, fields)
    for value in vars(module).values()
    if isinstance(value, re.Pattern)
} - MATCHED | {fastjson._STRING_OR_BARE_KEY, fastjson._LONG_NUMBER}

_PIECES = st.text("{}[]:,\"'\\/*#=$.@`0 1eL\n\tx\u00e9", max_size=4)
TEXTS = st.tuples(
    _PIECES,
    st.sampled_from(('\\"', "\\", '"', "{", "[", ",", " ", "1", "/*", "//", "'", "`$"))
    | _PIECES,
    _PIECES,
).map(lambda parts: parts[0] + parts[1] * (REPEATS // (len(parts[1]) or 1)) + parts[2])

#: Where readers were quadratic, or could be.
KNOWN = (
    '{"a":"' + '\\"' * REPEATS,
    '{"a":"' + "\\\n" * REPEATS,
    '"' * REPEATS,
    "{'" + "\\'" * REPEATS,
    "{" + " " * REPEATS + "x",
    "{" + ", " * REPEATS + "x",
    "{" + "1" * REPEATS + "x",
    "[1." + "1" * REPEATS + "e" + "1" * REPEATS + "x",
    "{" + "/*" * REPEATS,
    "{" + "//\n" * REPEATS,
    "[" * REPEATS,
    "[" + "[]," * REPEATS,
    "{" + '"a":1,' * REPEATS + "}",
    "#" + "\\\n" * REPEATS,
    "`$" * REPEATS,
)


class RegularExpressionTests(SynchronousTestCase):
    """Every pattern over a peer's bytes is linear, wherever its matches fail."""

    def test_the_oracle_sees_quadratic_work(self) -> None:
        """The pattern that stopped a broker for seconds is over the budget."""
        text = KNOWN[0]
        pattern = r'"(?:[^"\\]|\\.)*+"|([{,]\s*)(-?\d+)\s*:'
        self.assertGreater(search_steps(pattern, text), BUDGET * len(text))
        self.assertGreater(search_steps(r"(?:1|11)+x", "1" * 16), BUDGET * 16)

    def test_known_texts(self) -> None:
        """Texts that were expensive once are cheap now."""
        for text in KNOWN:
            self.assert_linear(text)

    @settings(deadline=None, max_examples=40)
    @given(TEXTS)
    def test_any_text(self, text: str) -> None:
        """No repeated piece makes a pattern give back what it took, or start over."""
        self.assert_linear(text)

    def assert_linear(self, text: str) -> None:
        """Check that the steps of each pattern are within the budget."""
        costs = {pattern: search_steps(pattern, text) for pattern in SEARCHED}
        for pattern in MATCHED:
            costs[pattern] = max(match_steps(pattern, text, at) for at in range(8))
        for pattern, cost in costs.items():
            self.assertLessEqual(
                cost, BUDGET * (len(text) + 1), f"{pattern} {text[:20]!r}"
            )


class ReaderTests(SynchronousTestCase):
    """The readers' own work is linear too."""

    @settings(deadline=None, max_examples=150)
    @given(TEXTS)
    def test_any_text(self, text: str) -> None:
        """Both readers make at most a number of calls for each character."""
        for read in (fastjson.loads, lenient_json.read):
            calls = _calls_of(read, text)
            self.assertLessEqual(calls, BUDGET * (len(text) + 10), text[:20])

    def test_keys_within_keys_are_refused(self) -> None:
        """As text, each level would double the escapes of the one within it."""
        text = "{" * 40 + '"a":1' + "}:1" * 39 + "}"
        self.assertRaises(fastjson.MalformedJson, fastjson.loads, text)

    def test_long_index_in_a_reference(self) -> None:
        """An index of thousands of digits leads nowhere, as any wrong path does."""
        text = '{"a":{"$ref":"$.b[' + "9" * 5000 + ']"},"b":[]}'
        self.assertEqual(fastjson.loads(text), {"a": [], "b": []})


def _calls_of(read: Callable[[str], Any], text: str) -> int:
    """Count the calls that reading a text takes, those into C included."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        read(text)
    except RocketMQError:
        pass
    finally:
        sys.setprofile(before)
    return count
