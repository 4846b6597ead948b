"""Records of traces, read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.trace_decoding import TraceRecord, decode_records
from tests.wire.test_trace import (
    GOLDEN,
    TIME,
    after,
    before,
    called_back,
    ended,
    sent,
)


def read(text: str) -> TraceRecord:
    """Return the one record of a text."""
    [record], unreadable = decode_records(text.encode())
    assert unreadable == 0
    return record


class DecodeTests(SynchronousTestCase):
    """What Java, and older clients, have written."""

    def test_golden(self) -> None:
        """Records of all kinds are read from one body, in their order."""
        body = b"".join(bytes.fromhex(text) for text in GOLDEN.values())
        records, unreadable = decode_records(body)
        kinds = ["Pub", "SubBefore", "SubAfter", "EndTransaction", "Recall"]
        self.assertEqual(([each.kind for each in records], unreadable), (kinds, 0))
        self.assertEqual({each.message_id for each in records}, {"M1"})

    def test_sent(self) -> None:
        """All items of a message that was sent."""
        expected = TraceRecord(
            kind="Pub",
            message_id="M1",
            time_ms=TIME,
            region="DefaultRegion",
            group="PG",
            topic="T",
            tags="A",
            keys="k1 k2",
            host="10.0.0.2:10911",
            size=5,
            cost_ms=7,
            message_kind=0,
            offset_id="OM",
            success=True,
        )
        self.assertEqual(read(sent()), expected)

    def test_consumed(self) -> None:
        """The records before and after a consumption have one number."""
        first, second = read(before()), read(after())
        self.assertEqual((first.request_id, first.retries), ("RQ", 2))
        self.assertEqual((second.request_id, second.outcome), ("RQ", 0))
        self.assertEqual((second.time_ms, second.group), (TIME, "PG"))

    def test_transaction_and_recall(self) -> None:
        """The end of a transaction, and of a delay."""
        end = read(ended())
        self.assertEqual((end.transaction_id, end.from_check), ("X1", True))
        self.assertEqual(end.state, "COMMIT_MESSAGE")
        self.assertEqual(read(called_back()).success, True)

    def test_missing_texts(self) -> None:
        """The word null is nothing."""
        self.assertIsNone(read(ended(None)).transaction_id)
        self.assertIsNone(read(sent(offset_id=None)).offset_id)

    def test_old_clients(self) -> None:
        """What was written later is missing, and what is written yet later ignored."""
        items = sent().removesuffix("\x02").split("\x01")
        old = read("\x01".join([*items[:12], "true"]))
        self.assertEqual((old.offset_id, old.success), (None, True))
        new = read("\x01".join([*items, "10.0.0.9", "more"]))
        self.assertEqual(new, read(sent()))
        items = after().removesuffix("\x02").split("\x01")
        short = read("\x01".join(items[:6]))
        self.assertEqual((short.time_ms, short.group, short.cost_ms), (None, None, 7))

    def test_damaged(self) -> None:
        """A record that cannot be read is counted, and costs no other one."""
        bad = sent().replace(str(TIME), "now")
        for text in (bad, "Pub\x01\x02", "Other\x011\x02", "\x01\x02", "nothing"):
            records, unreadable = decode_records((text + after()).encode())
            if text == "nothing":  # it runs into the next one, whose kind is lost
                self.assertEqual((len(records), unreadable), (0, 1))
            else:
                self.assertEqual((len(records), unreadable), (1, 1), text)

    @given(st.binary(max_size=200))
    def test_anything(self, body: bytes) -> None:
        """No bytes are an error."""
        records, unreadable = decode_records(body)
        self.assertLessEqual(len(records) + unreadable, body.count(2) + 1)
