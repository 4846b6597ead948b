"""Tests of conversion to declared types, alone and behind ``fastjson.decode_as``."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.pop import (
    MessageRequestMode,
    SetMessageRequestModeRequestBody,
)
from rocketmq_tw.wire.coerce import coerce
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fastjson import decode_as

_MODEL = MessageModel.CLUSTERING


class Sample(msgspec.Struct, rename="camel"):
    """One member of each kind."""

    number: int = 3
    ratio: float = 0.0
    flag: bool = False
    text: str | None = None
    model: MessageModel | None = None
    names: tuple[str, ...] = ()
    codes: frozenset[int] = frozenset()
    by_id: dict[int, str] = {}
    by_queue: dict[MessageQueue, int] = {}


class DecodeTests(SynchronousTestCase):
    """Plain objects are converted to declared types as tolerantly as in Java."""

    def sample(self, json: str, /, **expected: Any) -> None:
        """Check that a text gives a sample with these members."""
        self.assertEqual(decode_as(json, Sample), Sample(**expected), json)

    def test_scalars(self) -> None:
        """Numbers as text, booleans as numbers, anything as text."""
        self.sample('{"number":"105"}', number=105)
        self.sample('{"number":105.0}', number=105)
        self.sample('{"number":"1e2"}', number=100)
        self.sample('{"number":true}', number=1)
        self.sample('{"ratio":"0.5"}', ratio=0.5)
        self.sample('{"flag":"true"}', flag=True)
        self.sample('{"flag":1}', flag=True)
        self.sample('{"text":12}', text="12")
        self.sample('{"text":{"a":[1]}}', text='{"a":[1]}')

    def test_nulls_leave_the_defaults(self) -> None:
        """Null is the empty list or table, and the default of a number."""
        self.sample('{"number":null,"names":null,"codes":null,"byId":null}')

    def test_unknown_keys_and_enums(self) -> None:
        """Unknown keys are ignored, unknown names of enums are null."""
        self.sample('{"unknown":{"a":1},"model":"NO_SUCH"}')
        self.sample('{"model":"CLUSTERING"}', model=MessageModel.CLUSTERING)
        self.sample('{"model":0}', model=MessageModel.BROADCASTING)
        self.sample('{"model":77}')

    def test_integer_keys(self) -> None:
        """Keys are integers whether quoted or bare."""
        self.sample('{"byId":{"0":"a","1":"b"}}', by_id={0: "a", 1: "b"})
        self.sample('{"byId":{0:"a",1:"b"}}', by_id={0: "a", 1: "b"})

    def test_three_spellings_of_queue_keys(self) -> None:
        """A queue is a bare object, an object as text, or the first of a pair."""
        raw = '{"queueId":0,"topic":"T","brokerName":"b"}'
        quoted = raw.replace('"', '\\"')
        expected = {MessageQueue("T", "b", 0): 7}
        self.sample('{"byQueue":{' + raw + ":7}}", by_queue=expected)
        self.sample('{"byQueue":{"' + quoted + '":7}}', by_queue=expected)
        self.sample('{"byQueue":[[' + raw + ",7]]}", by_queue=expected)

    def test_errors_name_the_member(self) -> None:
        """What cannot be converted is an error that names the member."""
        for text in (
            '{"number":"x"}',
            '{"number":1.5}',
            '{"number":"9223372036854775808"}',
            '{"number":{}}',
            '{"names":"a"}',
            '{"byId":{"x":"a"}}',
            '{"byQueue":{"{":1}}',
            '{"byQueue":{"{}":1}}',
            "[]",
        ):
            self.assertRaises(BadField, decode_as, text, Sample)
        error = self.assertRaises(BadField, decode_as, '{"number":"x"}', Sample)
        self.assertIn("number", str(error))

    def test_required_members(self) -> None:
        """A member without default must be there."""
        self.assertRaises(BadField, coerce, {"topic": "T"}, MessageQueue)

    def test_malformed_boolean_among_good_members(self) -> None:
        """A boolean that is none is false, and no other member is read differently."""
        good = (
            '"number":"7","ratio":"0.5","text":"x","model":"CLUSTERING",'
            '"names":["a","b"],"codes":[3,1],"byId":{"0":"a"}'
        )
        expected = decode_as("{" + good + ',"flag":false}', Sample)
        self.assertEqual(expected.number, 7)
        for flag in ('"maybe"', '""', '"yes"', "2", "null"):
            found = decode_as("{" + good + f',"flag":{flag}' + "}", Sample)
            self.assertEqual(found, expected, flag)


class CoerceTests(SynchronousTestCase):
    """Each kind of type, and what its values may look like."""

    def refuses(self, value: object, kind: Any, why: str) -> None:
        """Check that a value is refused, for that reason."""
        error = self.assertRaises(BadField, coerce, value, kind)
        self.assertIn(why, str(error))

    def test_booleans(self) -> None:
        """Texts and numbers are true or false; only ``true`` and 1 are true."""
        for value in (True, 1, "true", "TRUE", "1", "y", "T"):
            self.assertIs(coerce(value, bool), True, value)
        for value in (False, 0, 2, "false", "0", "maybe", ""):
            self.assertIs(coerce(value, bool), False, value)
        for value in (1.0, [True], {}, None):
            self.refuses(value, bool, "instead of a boolean")

    def test_lists(self) -> None:
        """Null is the empty list; null items are left out."""
        self.assertEqual(coerce(None, list[int]), [])
        self.assertEqual(coerce(["1", None, 2], list[int | None]), [1, 2])
        self.assertEqual(coerce(["1", "1"], frozenset[int]), frozenset([1]))
        self.assertEqual(coerce([1, "a"], list), [1, "a"])
        self.assertEqual(coerce(["NO_SUCH", 1], tuple[MessageModel, ...]), (_MODEL,))
        self.refuses({}, list[int], "instead of a list")
        self.refuses([{}], list[int], "instead of a number")

    def test_tables(self) -> None:
        """Null is the empty table; entries that are null are left out."""
        self.assertEqual(coerce(None, dict[str, int]), {})
        self.assertEqual(coerce({"a": "1", "b": None}, dict[str, int]), {"a": 1})
        self.assertEqual(coerce([["7", 8]], dict[int, str]), {7: "8"})
        self.assertEqual(coerce({"a": [1]}, dict), {"a": [1]})
        for value in ([["a"]], ["ab"], 3, "a"):
            self.refuses(value, dict[str, int], "instead of a table")

    def test_enums(self) -> None:
        """A name or an ordinal; whatever else is none."""
        self.assertIs(coerce("CLUSTERING", MessageModel), _MODEL)
        self.assertIs(coerce(1, MessageModel), _MODEL)
        for value in (-1, 2, "clustering", 0.5, None):
            self.assertIsNone(coerce(value, MessageModel), value)

    def test_numbers(self) -> None:
        """A number or a text of one, within a Java long."""
        self.assertEqual(coerce("-9223372036854775808", int), -(1 << 63))
        self.assertEqual(coerce("0.25", float), 0.25)
        self.refuses(1 << 63, int, "instead of an integer")
        self.refuses("1.5", int, "instead of an integer")
        self.refuses(None, int, "instead of a number")
        self.refuses(float("inf"), int, "instead of a number")
        self.refuses("x", float, "instead of a number")

    def test_structs(self) -> None:
        """An object, or its JSON text, as it comes as a key."""
        queue = {"topic": "T", "brokerName": "b", "queueId": "3"}
        expected = MessageQueue("T", "b", 3)
        self.assertEqual(coerce(queue, MessageQueue), expected)
        text = msgspec.json.encode(queue).decode()
        self.assertEqual(coerce(text, MessageQueue), expected)
        self.refuses("T b 3", MessageQueue, "instead of an object")
        self.refuses("{T", MessageQueue, "'{T' instead of an object")
        self.refuses({**queue, "queueId": "x"}, MessageQueue, "queueId: 'x'")

    def test_unknown_enum_leaves_the_default(self) -> None:
        """A name that is not known counts as absent."""
        text = '{"mode":"PUSH","topic":"T","consumerGroup":"G"}'
        body = decode_as(text, SetMessageRequestModeRequestBody)
        self.assertIs(body.mode, MessageRequestMode.PULL)
