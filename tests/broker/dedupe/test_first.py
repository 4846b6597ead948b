"""What is read of a record."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.dedupe.first import first_of, firsts_of
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.wire import record
from rocketmq_tw.wire.record import Draft

HOST = host_to_bytes("10.0.0.1", 10911)


def encoded(key: str = "K", host: bytes = HOST, topic: bytes = b"T") -> bytes:
    """Encode a record."""
    draft = Draft(
        topic=topic,
        queue_id=3,
        flag=0,
        sys_flag=0 if len(host) == len(HOST) else 0x10,
        born_time_ms=1,
        born_host=host,
        body=b"body" * 10,
        properties=f"UNIQ_KEY\x01{key}\x02".encode() if key else b"A\x01b\x02",
        tags_code=0,
    )
    return record.encode(draft, 7, 1000, 99, HOST)


class FirstTests(SynchronousTestCase):
    """Records of all forms."""

    def test_read(self) -> None:
        """The place, the key and the topic; with any host, and a long topic."""
        v6 = host_to_bytes("2001:db8::1", 4000)
        for data, topic in (
            (encoded(), b"T"),
            (encoded(host=v6), b"T"),
            (encoded(topic=b"t" * 200), b"t" * 200),
        ):
            found = first_of(data)
            assert found is not None
            self.assertEqual(found.stored, Appended(1000, len(data), 7, 99))
            self.assertEqual((found.topic, found.queue_id), (topic, 3))
            self.assertEqual(found.key, b"K")

    def test_no_key(self) -> None:
        """A record without a unique key has none."""
        found = first_of(encoded(""))
        assert found is not None
        self.assertIsNone(found.key)

    def test_cut_anywhere(self) -> None:
        """A part of a record is none."""
        data = encoded()
        for end in range(len(data)):
            self.assertIsNone(first_of(data[:end]), end)

    def test_several(self) -> None:
        """Records that are back to back, up to what is none."""
        data = encoded("A") + encoded("B") + b"rest"
        self.assertEqual([each.key for each in firsts_of(data)], [b"A", b"B"])
