"""Tests of rocketmq_tw.broker.pop.records."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.pop.records import offsets_of, with_receipts
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.wire import record
from rocketmq_tw.wire.receipts import Receipt
from rocketmq_tw.wire.record import Draft

RECEIPT = Receipt(7, 1, 2, 3, 1, "b", 0, 7)


def stored(host: str, body: bytes = b"x", flag: int = 0, offset: int = 7) -> bytes:
    """Return the record of a message in a retry topic."""
    draft = Draft(
        topic=b"%RETRY%G_T",
        queue_id=0,
        flag=5,
        sys_flag=flag,
        born_time_ms=11,
        born_host=host_to_bytes(host, 1),
        body=body,
        properties=b"POP_CK\x01forged\x02KEYS\x01k\x02",
        reconsume_times=2,
        prepared_offset=9,
    )
    return record.encode(draft, offset, 1000, 12, host_to_bytes(host, 2))


class RecordTests(SynchronousTestCase):
    """Records of retry topics, as their groups get them."""

    def test_same_message(self) -> None:
        """Topic and receipt differ, all else is the same, with any hosts."""
        for host in ("10.0.0.1", "fe80::1"):
            data = stored(host) + stored(host, offset=8)
            made = record.decode_all(with_receipts(data, "T", RECEIPT))
            for before, after in zip(record.decode_all(data), made, strict=True):
                receipt = f"7 1 2 3 1 b 0 {before.queue_offset}"
                expected = {"POP_CK": receipt, "KEYS": "k"}
                self.assertEqual((after.topic, after.properties), ("T", expected))
                for name in before.__struct_fields__:
                    if name not in ("topic", "properties", "size"):
                        self.assertEqual(getattr(after, name), getattr(before, name))

    def test_compressed(self) -> None:
        """A compressed body stays as it is."""
        data = stored("10.0.0.1", b"\x78\x9cnot really", sysflag.COMPRESSED)
        made = with_receipts(data, "T", RECEIPT)
        self.assertIn(b"\x78\x9cnot really", made)
        flag = int.from_bytes(made[record.SYS_FLAG_AT : record.SYS_FLAG_AT + 4], "big")
        self.assertEqual(flag & sysflag.COMPRESSED, sysflag.COMPRESSED)

    def test_offsets(self) -> None:
        """The queue offsets, in order."""
        data = stored("10.0.0.1", offset=3) + stored("10.0.0.1", offset=9)
        self.assertEqual(offsets_of(data), [3, 9])
