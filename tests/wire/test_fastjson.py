"""Tests of rocketmq_tw.wire.fastjson."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire import fastjson

QUEUE = MessageQueue("T", "b", 0)
QUEUE_TEXT = '{"brokerName":"b","queueId":0,"topic":"T"}'

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
).filter(lambda value: "$ref" not in json.dumps(value))


class LoadsTests(SynchronousTestCase):
    """What Java writes and takes is read."""

    def test_lenient_forms(self) -> None:
        """Each lenient form gives what its strict form would give."""
        for text, expected in (
            ('{0:"a",1:"b"}', {"0": "a", "1": "b"}),
            ("{-1:2}", {"-1": 2}),
            ('{"s":",1:",2:3}', {"s": ",1:", "2": 3}),
            ('{{"queueId":0,"topic":"T","brokerName":"b"}:7}', {QUEUE_TEXT: 7}),
            ("{'a':'it\\'s'}", {"a": "it's"}),
            ("{a:1,_b$:2}", {"a": 1, "_b$": 2}),
            ("[1,,2,]", [1, 2]),
            ('{"a":1,,"b":2,}', {"a": 1, "b": 2}),
            ('{/* c */"a":1 // end\n}', {"a": 1}),
            ('\ufeff{"a":1}', {"a": 1}),
            ('{"a":"x\ny"}', {"a": "x\ny"}),
            ('{"a":1,"a":2}', {"a": 2}),
            ('{x:"\\x41\\u0042\\/"}', {"x": "AB/"}),
            ('{x:"\\ud83d\\ude00"}', {"x": "\U0001f600"}),
            ("{x:-1.5e2,y:+3,z:7L}", {"x": -150.0, "y": 3, "z": 7}),
            ("{x:[true,false,null,NaN]}", {"x": [True, False, None, None]}),
        ):
            self.assertEqual(fastjson.loads(text), expected, text)
            self.assertEqual(fastjson.loads(text.encode()), expected, text)

    def test_references(self) -> None:
        """A reference is the object it means, null when there is none."""
        loaded = fastjson.loads(
            '{"set":[{"mq":{"q":1}},{"mq":{"$ref":"$.set[0].mq"}}],'
            '"gone":{"$ref":"$.no.such"}}'
        )
        self.assertIs(loaded["set"][1]["mq"], loaded["set"][0]["mq"])
        self.assertIsNone(loaded["gone"])

    def test_reference_as_key_drops_its_entry(self) -> None:
        """Java writes paths through object keys that cannot be followed."""
        self.assertEqual(
            fastjson.loads('{"t":{{"$ref":"$.c.c1.null"}:5,"k":6}}'), {"t": {"k": 6}}
        )

    def test_garbage_is_refused(self) -> None:
        """Cut, trailing and other text is malformed; the error gives the position."""
        for text in (
            "",
            '{"a":1}}',
            '{"a":1',
            '{"a":1} x',
            '"\\a"',
            "[1 2]",
            '{"a" 1}',
            '{"a":',
            "12abc",
            "nul",
            "{/*",
            "[" * 100_000,
            "{a:" * 1000,
            "-",
            "9" * 5000 + "x",
        ):
            error = self.assertRaises(fastjson.MalformedJson, fastjson.loads, text)
            self.assertLessEqual(error.at, len(text))

    def test_wrong_utf8_is_replaced(self) -> None:
        """Bytes that are not UTF-8 become U+FFFD, as in Java."""
        self.assertEqual(fastjson.loads(b'"a\xff"'), "a\ufffd")

    @settings(deadline=None)
    @given(PLAIN)
    def test_round_trip(self, value: Any) -> None:
        """Both writers' texts are read back, but for the nulls left out."""
        expected = _without_nulls(value)
        self.assertEqual(fastjson.loads(fastjson.dumps(value)), expected)
        self.assertEqual(fastjson.loads(fastjson.dumps_lenient(value)), expected)
        self.assertEqual(fastjson.loads(fastjson.dumps_ascii(value)), expected)


class DumpsTests(SynchronousTestCase):
    """Texts are compact, sorted and without nulls."""

    def test_keys(self) -> None:
        """Integer keys are quoted and objects as keys bare: every release reads it."""
        value = {"t": {QUEUE: {1: 7}}, "o": {10: 1, 2: None, 3: 2.0}, "s": {3, 1}}
        self.assertEqual(
            fastjson.dumps(value).decode(),
            '{"o":{"3":2.0,"10":1},"s":[1,3],"t":{' + QUEUE_TEXT + ':{"1":7}}}',
        )

    def test_lenient(self) -> None:
        """Integer keys and objects as keys stand bare."""
        self.assertEqual(
            fastjson.dumps_lenient({"t": {QUEUE: 7}, "o": {10: "é", 2: True}}).decode(),
            '{"o":{2:true,10:"é"},"t":{' + QUEUE_TEXT + ":7}}",
        )

    def test_ascii(self) -> None:
        """Other characters are escaped as UTF-16 units in upper-case hex."""
        self.assertEqual(
            fastjson.dumps_ascii({"k": "主\U0001f600~"}),
            b'{"k":"\\u4E3B\\uD83D\\uDE00~"}',
        )


def _without_nulls(value: Any) -> Any:
    """Leave out the members that are null."""
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value
