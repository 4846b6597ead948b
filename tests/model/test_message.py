"""Tests of messages."""

from datetime import UTC, datetime

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.message import Message, StoredMessage


class MessageTests(SynchronousTestCase):
    """A message to send."""

    def test_takes_keys_in_any_shape(self) -> None:
        """A list, a tuple and one text become a tuple."""
        for keys in (["42"], ("42",), "42"):
            message = Message("T", b"", keys=keys)  # type: ignore[arg-type]
            self.assertEqual(message.keys, ("42",))

    def test_properties_hold_the_fields(self) -> None:
        """Keys, tag, delay and wait become properties, added to the user's."""
        message = Message(
            "T",
            b"",
            tag="A",
            keys=("k1", "k2"),
            properties={"color": "red"},
            delay_level=3,
            wait_store=False,
        )
        self.assertEqual(
            message.wire_properties(),
            {
                "color": "red",
                "KEYS": "k1 k2",
                "TAGS": "A",
                "DELAY": "3",
                "WAIT": "false",
            },
        )

    def test_plain_message_has_only_wait(self) -> None:
        """What is not set is not sent."""
        self.assertEqual(Message("T", b"x").wire_properties(), {"WAIT": "true"})

    def test_is_frozen(self) -> None:
        """A message cannot be changed."""
        message = Message("T", b"")
        self.assertRaises(AttributeError, setattr, message, "topic", "U")


class StoredMessageTests(SynchronousTestCase):
    """A message that came from a broker."""

    stored = StoredMessage(
        topic="T",
        body=b"",
        queue_id=0,
        queue_offset=0,
        commit_log_offset=123456789,
        flag=0,
        sys_flag=0,
        born_time_ms=0,
        born_host="1.2.3.4:5",
        store_time_ms=0,
        store_host="10.1.2.3:10911",
        reconsume_times=0,
        prepared_transaction_offset=0,
        properties={"KEYS": "a b", "TAGS": "t", "UNIQ_KEY": "U"},
        size=0,
        body_crc=0,
    )

    def test_reads_its_properties(self) -> None:
        """Tag, keys and ids are taken from the properties."""
        self.assertEqual(self.stored.tag, "t")
        self.assertEqual(self.stored.keys, ("a", "b"))
        self.assertEqual(self.stored.message_id, "U")
        self.assertEqual(self.stored.unique_key, "U")

    def test_without_unique_key_the_offset_id_is_its_id(self) -> None:
        """The offset id stands in."""
        bare = msgspec.structs.replace(self.stored, properties={})
        self.assertEqual(bare.message_id, "0A01020300002A9F00000000075BCD15")
        self.assertEqual((bare.tag, bare.keys, bare.unique_key), (None, (), None))


class TimedTests(SynchronousTestCase):
    """When a message is to be delivered, as properties."""

    def test_delay(self) -> None:
        """Milliseconds, rounded up: a message never comes early."""
        for delay, text in ((5, "5000"), (0.0001, "1"), (1.5, "1500"), (0, "0")):
            wire = Message("T", b"x", delay=delay).wire_properties()
            self.assertEqual(wire["TIMER_DELAY_MS"], text)

    def test_time(self) -> None:
        """Seconds since the epoch, or a datetime with its zone."""
        at = datetime(2023, 11, 14, 22, 13, 20, 1000, UTC)
        for time in (1_700_000_000.001, at):
            wire = Message("T", b"x", deliver_at=time).wire_properties()
            self.assertEqual(wire["TIMER_DELIVER_MS"], "1700000000001")

    def test_is_timed(self) -> None:
        """However it is asked for."""
        for message in (
            Message("T", b"x", delay=0),
            Message("T", b"x", deliver_at=5),
            Message("T", b"x", properties={"TIMER_DELAY_SEC": "5"}),
        ):
            self.assertTrue(message.is_timed)
        self.assertFalse(Message("T", b"x", delay_level=1).is_timed)
