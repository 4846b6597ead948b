"""Tests of rocketmq_tw.wire.coerce, through fastjson.decode_as."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.coerce import coerce
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fastjson import decode_as


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


class ShapeTests(SynchronousTestCase):
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
