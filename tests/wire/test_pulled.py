"""The messages in the response to a pull, with the general codec as the oracle."""

from __future__ import annotations

import copy
import gc
import pickle

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.wire import record
from rocketmq_tw.wire.pulled import PulledMessage, QueueEnds, decode_pulled
from rocketmq_tw.wire.record import Draft, MalformedRecord, decode_all

HOST = host_to_bytes("10.0.0.1", 10911)
SIX = host_to_bytes("2001:db8::1", 10911)
BLANK = bytes.fromhex("00000020cbd43194") + bytes(24)
ENDS = QueueEnds(3, 40)


def encoded(draft: Draft, offset: int = 7) -> bytes:
    """Make the bytes of a record."""
    return record.encode(draft, offset, offset * 100, 1700000000001, HOST)


def draft(**fields: object) -> Draft:
    """Make a message as a producer sends it."""
    usual = Draft(
        topic=b"TopicTest",
        queue_id=3,
        flag=0,
        sys_flag=0,
        born_time_ms=1700000000000,
        born_host=HOST,
        body=b"Hello",
        properties=b"KEYS\x01k1\x02TAGS\x01TagA\x02",
    )
    return msgspec.structs.replace(usual, **fields)


DRAFTS = st.builds(
    draft,
    topic=st.binary(max_size=200),
    queue_id=st.integers(0, 99),
    flag=st.integers(-(1 << 31), (1 << 31) - 1),
    sys_flag=st.sampled_from([0, 4, 8]),
    born_host=st.sampled_from([HOST, host_to_bytes("10.0.0.9", 1)]),
    body=st.binary(),
    properties=st.binary(max_size=50),
    reconsume_times=st.integers(0, 16),
    prepared_offset=st.integers(0, 1 << 60),
)


class DecodePulledTests(SynchronousTestCase):
    """What comes out is what the general codec makes of the same bytes."""

    def check(self, data: bytes) -> None:
        """Decode both ways."""
        self.assertEqual(decode_pulled(data, None, "b"), decode_all(data, None, "b"))

    @settings(deadline=None)
    @given(st.lists(DRAFTS, max_size=5))
    def test_any(self, drafts: list[Draft]) -> None:
        """Whatever the records contain, and whatever follows which."""
        data = b"".join(encoded(each, at) for at, each in enumerate(drafts))
        self.check(data)
        self.check(data + BLANK)

    def test_other_forms(self) -> None:
        """Records of other forms may stand between the usual ones."""
        six = encoded(draft(born_host=SIX, sys_flag=0x10))
        long = encoded(draft(topic=b"t" * 128))
        usual = encoded(draft())
        self.check(usual + six + usual + long + usual)

    def test_damaged(self) -> None:
        """Cut or changed anywhere, the error is the same, or the messages are."""
        data = encoded(draft()) + encoded(draft(body=b"second"))
        damaged = [data[:at] for at in range(len(data))]
        damaged += [data[:at] + b"\xff" + data[at + 1 :] for at in range(len(data))]
        for each in damaged:
            try:
                expected = decode_all(each, None, "b")
            except MalformedRecord as error:
                with self.assertRaises(MalformedRecord) as raised:
                    decode_pulled(each, None, "b")
                self.assertEqual(str(raised.exception), str(error))
            else:
                self.assertEqual(decode_pulled(each, None, "b"), expected)

    def test_ends(self) -> None:
        """The ends of the queue become properties of all forms."""
        data = encoded(draft()) + encoded(draft(topic=b"t" * 128))
        for message in decode_pulled(data, ends=ENDS):
            found = {"MIN_OFFSET": "3", "MAX_OFFSET": "40"}
            self.assertEqual(
                message.properties, {"KEYS": "k1", "TAGS": "TagA", **found}
            )

    def test_compressed(self) -> None:
        """Compressed bodies are left to the given function."""
        data = encoded(draft(sys_flag=1)) + encoded(draft())
        messages = decode_pulled(data, lambda body, flag: body[::-1] + b"%d" % flag)
        self.assertEqual([m.body for m in messages], [b"olleH1", b"Hello"])


class PulledMessageTests(SynchronousTestCase):
    """A message whose properties are decoded when they are read."""

    def setUp(self) -> None:
        """Decode one, and its oracle."""
        data = encoded(draft())
        [self.message] = decode_pulled(data)
        [self.plain] = decode_all(data)

    def test_properties(self) -> None:
        """They are decoded once."""
        self.assertIsInstance(self.message, PulledMessage)
        self.assertIs(self.message.properties, self.message.properties)
        self.assertEqual(self.message.properties, self.plain.properties)

    def test_tag(self) -> None:
        """The tag is the same before and after the properties are read."""
        self.assertEqual(self.message.tag, "TagA")
        self.assertEqual((self.message.keys, self.message.tag), (("k1",), "TagA"))
        [untagged] = decode_pulled(encoded(draft(properties=b"")))
        self.assertIsNone(untagged.tag)

    def test_equal(self) -> None:
        """It equals the message with the same fields, from either side."""
        self.assertEqual(self.message, self.plain)
        self.assertEqual(self.plain, self.message)
        self.assertIn(self.plain, [self.message])
        other = msgspec.structs.replace(self.plain, queue_id=1)
        self.assertNotEqual(self.message, other)
        self.assertNotEqual(self.message, "message")

    def test_text(self) -> None:
        """It looks like a message that was decoded at once."""
        self.assertEqual(repr(self.message), repr(self.plain))

    def test_copies(self) -> None:
        """A copy, read or not, is equal; so is one from a pickle."""
        renamed = msgspec.structs.replace(self.message, topic="U")
        self.assertEqual((renamed.topic, renamed.keys), ("U", ("k1",)))
        for same in (
            copy.copy(self.message),
            pickle.loads(pickle.dumps(self.message)),
        ):
            self.assertEqual(same, self.plain)

    def test_garbage_collector(self) -> None:
        """It does not look at messages whose properties were not read."""
        self.assertFalse(gc.is_tracked(self.message))
