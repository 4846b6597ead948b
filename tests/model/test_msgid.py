"""Tests of message ids and host bytes."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.msgid import (
    UniqueKeys,
    host_from_text,
    host_to_bytes,
    host_to_text,
    offset_message_id,
    parse_offset_message_id,
)


class OffsetMessageIdTests(SynchronousTestCase):
    """The id made of a store host and an offset."""

    def test_is_the_original_s(self) -> None:
        """The vector of Apache RocketMQ's format comes out."""
        host = host_to_bytes("10.1.2.3", 10911)
        self.assertEqual(
            offset_message_id(host, 123456789), "0A01020300002A9F00000000075BCD15"
        )

    def test_is_read_back(self) -> None:
        """Both address families and both cases of hex are read."""
        for ip in ("10.1.2.3", "2001:db8::1"):
            text = offset_message_id(host_to_bytes(ip, 10911), 42)
            self.assertEqual(parse_offset_message_id(text), (ip, 10911, 42))
            self.assertEqual(parse_offset_message_id(text.lower()), (ip, 10911, 42))

    def test_refuses_other_texts(self) -> None:
        """A wrong length or a wrong digit is said to be wrong."""
        self.assertRaisesRegex(ValueError, "has 3", parse_offset_message_id, "0A0")
        self.assertRaisesRegex(
            ValueError, "hex digits only", parse_offset_message_id, "x" * 32
        )


class HostTests(SynchronousTestCase):
    """Addresses as text and as bytes."""

    def test_shows_both_families(self) -> None:
        """An IPv6 address stands in brackets."""
        self.assertEqual(host_to_text(b"\x0a\0\0\1\0\0\x9c\x40"), "10.0.0.1:40000")
        self.assertEqual(host_to_text(host_to_bytes("::1", 5)), "[::1]:5")

    def test_packs_what_it_shows(self) -> None:
        """Text and bytes are each other's inverse."""
        for host in (host_to_bytes("1.2.3.4", 5), host_to_bytes("fe80::1", 65535)):
            self.assertEqual(host_from_text(host_to_text(host)), host)

    def test_refuses_other_lengths(self) -> None:
        """Seven bytes are no host."""
        self.assertRaises(ValueError, host_to_text, bytes(7))

    def test_refuses_other_ports(self) -> None:
        """A port below zero, or with more than four bytes, is none."""
        for port in ("-1", str(1 << 32), "9" * 5000, ""):
            self.assertRaises(ValueError, host_from_text, f"10.0.0.1:{port}")


class UniqueKeysTests(SynchronousTestCase):
    """The ids that producers make."""

    def test_holds_address_process_time_and_counter(self) -> None:
        """Each part stands at its offset, in upper-case hex."""
        keys = UniqueKeys(b"\x0a\x01\x02\x03", 0x12345, b"\xde\xad\xbe\xef")
        made = keys.next(now=1000.5, month_start=1000.0)
        self.assertEqual(made, "0A0102032345DEADBEEF000001F40001")

    def test_time_of_each(self) -> None:
        """Each key has its own time, also after the clock was set back."""
        keys = UniqueKeys(bytes(4), 1, bytes(4))
        times = (1.0, 1.0, 2.0, 1.0, 1.0 + (1 << 32) / 1000)
        made = [int(keys.next(now, 0.0)[20:28], 16) for now in times]
        self.assertEqual(made, [1000, 1000, 2000, 1000, 1000])

    def test_is_unique_within_a_millisecond(self) -> None:
        """The counter makes keys of one time differ, and wraps."""
        keys = UniqueKeys(bytes(16), 1, bytes(4))
        made = {keys.next(1.0, 0.0) for _ in range(0x10000)}
        self.assertEqual(len(made), 0x10000)
        self.assertEqual({len(key) for key in made}, {56})

    def test_refuses_a_wrong_salt(self) -> None:
        """The salt has four bytes."""
        self.assertRaises(ValueError, UniqueKeys, bytes(4), 1, bytes(3))
