"""A stored message as a draft again."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.redelivery import redraft
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.wire.record import Draft, encode

STORE_HOST = host_to_bytes("10.0.0.1", 10911)


def draft(**fields: object) -> Draft:
    """Make a draft whose parts all differ."""
    values: dict[str, object] = {
        "topic": b"TopicTest",
        "queue_id": 3,
        "flag": -7,
        "sys_flag": 0x2,
        "born_time_ms": 77,
        "born_host": host_to_bytes("10.0.0.9", 4000),
        "body": b"Hello",
        "properties": b"TAGS\x01TagA\x02KEYS\x01k\x02",
        "reconsume_times": 4,
    }
    return Draft(**values | fields)  # type: ignore[arg-type]


class RedraftTests(SynchronousTestCase):
    """What a record holds comes back."""

    def check(self, original: Draft, store_host: bytes = STORE_HOST) -> None:
        """Write a record, draft it again and write that: the same bytes."""
        written = encode(original, 5, 1000, 99, store_host)
        again, _ = redraft(written)
        self.assertEqual(encode(again, 5, 1000, 99, store_host), written)

    def test_plain(self) -> None:
        """Every part is kept, and the properties are given."""
        self.check(draft())
        _, kept = redraft(encode(draft(), 0, 0, 0, STORE_HOST))
        self.assertEqual(kept, {"TAGS": "TagA", "KEYS": "k"})

    def test_packed_body(self) -> None:
        """A packed body stays packed, even one that cannot be unpacked."""
        self.check(draft(body=b"no zlib at all", sys_flag=0x1))

    def test_ipv6(self) -> None:
        """Hosts of either kind are kept."""
        host = host_to_bytes("fe80::1", 4000)
        self.check(draft(born_host=host, sys_flag=0x12), host)

    def test_odd_properties(self) -> None:
        """Bytes that are no UTF-8 do not keep a message from being delivered."""
        again, kept = redraft(
            encode(draft(properties=b"A\x01\xff\x02"), 0, 0, 0, STORE_HOST)
        )
        self.assertEqual(kept, {"A": "\ufffd"})
        self.assertEqual(again.properties, "A\x01\ufffd\x02".encode())
