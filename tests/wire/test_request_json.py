"""Bodies of requests: what they may cost, and which are refused for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.errors import BadField, MalformedJson
from rocketmq_tw.wire.request_json import LARGEST, MAX_VALUES, SMALL, decode_request

#: Calls, those into C included, that a body of 1 MiB may take. A bare key or a value
#: that is converted takes at least one.
BUDGET = 9 * MAX_VALUES


def beat(consumers: str, start: str = '{"clientID":"c",') -> bytes:
    """Make a heartbeat with some JSON as the list of its consumers."""
    return f'{start}"consumerDataSet":[{consumers}]}}'.encode()


def consumer(topics: int, topic: str = '{{"topic":"T{}","subString":"*"}}') -> str:
    """Make a consumer with so many subscriptions."""
    listed = ",".join(topic.format(n) for n in range(topics))
    return f'{{"groupName":"g","subscriptionDataSet":[{listed}]}}'


class RequestTests(SynchronousTestCase):
    """Heartbeats, the largest bodies that clients send."""

    def test_large(self) -> None:
        """What is written as declared is read at any size that is let in."""
        data = beat(consumer(20_000))
        self.assertGreater(len(data), 10 * SMALL)
        found = decode_request(data, HeartbeatData)
        self.assertEqual(len(found.consumer_data_set[0].subscription_data_set), 20_000)
        self.assertEqual(found, HeartbeatData.decode(data))
        self.assertEqual(found, HeartbeatData.decode_request(data))

    def test_small(self) -> None:
        """A small body is read as tolerantly as all JSON."""
        found = decode_request(beat("", "{clientID:'c',"), HeartbeatData)
        self.assertEqual(found.client_id, "c")

    def test_large_and_not_strict(self) -> None:
        """A large one has to be strict JSON; the error says where it is not."""
        for start in ("{clientID:'c',", "{1:2,", '{"clientID":"c",,'):
            data = beat(consumer(5000), start)
            HeartbeatData.decode(data.replace(b"1:2", b'clientID:"c"'))
            error = self.assertRaises(
                MalformedJson, decode_request, data, HeartbeatData
            )
            self.assertIn(f"{len(data)} bytes have to be strict JSON", str(error))
        data = beat(consumer(5000) + "," + "[" * 100_000)
        self.assertRaises(MalformedJson, decode_request, data, HeartbeatData)
        data = beat(consumer(5000)).replace(b"T4999", b"\xff")
        self.assertRaises(MalformedJson, decode_request, data, HeartbeatData)

    def test_references(self) -> None:
        """References are followed, as fastjson writes them for what is repeated."""
        topic = "x" * SMALL
        repeated = ',{"$ref":"$.consumerDataSet[0]"}'
        data = beat(consumer(1, f'{{{{"topic":"{topic}"}}}}') + repeated)
        first, second = decode_request(data, HeartbeatData).consumer_data_set
        self.assertEqual(first, second)
        self.assertEqual(first.subscription_data_set[0].topic, topic)
        data = beat(consumer(3000) + repeated * 3000)
        self.assertRaises(MalformedJson, decode_request, data, HeartbeatData)

    def test_converted(self) -> None:
        """A limited number of values is converted, as Go's clients need it."""
        topic = '{{"topic":"T{}","subString":"*","tagsSet":null,"subVersion":1}}'
        data = beat(consumer(6000, topic))
        self.assertEqual(
            decode_request(data, HeartbeatData), HeartbeatData.decode(data)
        )
        error = self.assertRaises(
            BadField, decode_request, beat(consumer(12_000, topic)), HeartbeatData
        )
        self.assertIn(f"at most {MAX_VALUES} to convert", str(error))

    def test_long_numbers(self) -> None:
        """A number that Java cannot hold is refused in a large body too."""
        topic = '{{"topic":"T{}","subVersion":9223372036854775808}}'
        data = beat(consumer(5000, topic))
        self.assertRaises(BadField, decode_request, data, HeartbeatData)

    def test_too_large(self) -> None:
        """Larger bodies are of no request that is read at once."""
        data = beat("").ljust(LARGEST + 1)
        self.assertRaises(BadField, decode_request, data, HeartbeatData)
        self.assertEqual(decode_request(data[:-1], HeartbeatData).client_id, "c")

    def test_cost(self) -> None:
        """Whatever the text, its values are few or nothing is called for each."""
        size = LARGEST - 100
        for start, item, end in (
            ('{"clientID":"c","x":[', "[],", "1]}"),
            ('{"clientID":"c","consumerDataSet":[', "{},", "1]}"),
            ("{", "1:1,", '"clientID":"c"}'),
            ("[", "[],", "1"),
            ("{a:[", "'',", ""),
            ('{"a":"', "\\u0041", "'"),
            ("{'", '\\"', ""),
            ('{"$ref":"$",', '"a":[],', '"b":1}'),
            ('{"clientID":"c","producerDataSet":[', '{"groupName":1},', "1]}"),
        ):
            text = start + item * ((size - len(start)) // len(item)) + end
            calls = _calls_of(decode_request, text.encode())
            self.assertLessEqual(calls, BUDGET, text[:20])


def _calls_of(read: Callable[[bytes, Any], Any], data: bytes) -> int:
    """Count the calls that reading a body takes, those into C included."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        read(data, HeartbeatData)
    except (BadField, MalformedJson):
        pass
    finally:
        sys.setprofile(before)
    return count
