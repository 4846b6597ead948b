"""Copies of stored messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.redelivery import copy_for_redelivery
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


class CopyTests(SynchronousTestCase):
    """What a record holds is copied."""

    def check(self, first: Draft, store_host: bytes = STORE_HOST) -> None:
        """Write a record, copy it and write the copy: the same bytes."""
        written = encode(first, 5, 1000, 99, store_host)
        copy = copy_for_redelivery(written)
        self.assertEqual(encode(copy.draft, 5, 1000, 99, store_host), written)

    def test_plain(self) -> None:
        """Every part is kept, and the properties are given."""
        self.check(draft())
        copy = copy_for_redelivery(encode(draft(), 0, 0, 0, STORE_HOST))
        self.assertEqual(copy.properties, {"TAGS": "TagA", "KEYS": "k"})

    def test_compressed_body(self) -> None:
        """A compressed body is not touched, even one that is damaged."""
        self.check(draft(body=b"no zlib at all", sys_flag=0x1))

    def test_ipv6(self) -> None:
        """Hosts of either kind are kept."""
        host = host_to_bytes("fe80::1", 4000)
        self.check(draft(born_host=host, sys_flag=0x12), host)

    def test_odd_properties(self) -> None:
        """Bytes that are no UTF-8 do not keep a message from being delivered."""
        copy = copy_for_redelivery(
            encode(draft(properties=b"A\x01\xff\x02"), 0, 0, 0, STORE_HOST)
        )
        self.assertEqual(copy.properties, {"A": "\ufffd"})
        self.assertEqual(copy.draft.properties, "A\x01\ufffd\x02".encode())
