"""Tests of the keys of records."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.index.keys import is_blank, keys_of, split, tails, unique_key
from rocketmq_tw.wire.record import encode
from tests.store.cases import draft

HOST_V4 = b"\x7f\0\0\1\0\0\x2a\x9f"
HOST_V6 = b"\x20\x01" + bytes(13) + b"\1\0\0\x2a\x9f"


def record(store_host: bytes = HOST_V4, **fields: object) -> bytes:
    """Encode a record stored at 1234 ms."""
    return encode(draft(**fields), 0, 0, 1234, store_host)


class KeysTests(SynchronousTestCase):
    """Properties give the unique key and the words of KEYS."""

    def test_all(self) -> None:
        """The unique key, each word, and the tag; empty words are none."""
        text = b"KEYS\x01a  b\x02TAGS\x01T\x02UNIQ_KEY\x01u\x02"
        self.assertEqual(keys_of(text), [b"u", b"a", b"b", b"T#T"])

    def test_without_last_separator(self) -> None:
        """Some versions leave the last separator out."""
        self.assertEqual(keys_of(b"TAGS\x01T\x02KEYS\x01a"), [b"a", b"T#T"])

    def test_names_that_end_alike(self) -> None:
        """A property whose name ends in KEYS is another one."""
        self.assertEqual(keys_of(b"MYKEYS\x01no\x02KEYS\x01yes\x02"), [b"yes"])
        self.assertEqual(keys_of(b"MYKEYS\x01no\x02MYTAGS\x01no\x02"), [])

    def test_none(self) -> None:
        """There may be no keys at all."""
        self.assertEqual(keys_of(b""), [])
        self.assertEqual(keys_of(b"KEYS\x01\x02TAGS\x01\x02"), [])
        self.assertIsNone(unique_key(b"TAGS\x01T\x02UNIQ_KEY\x01\x02"))


class TailsTests(SynchronousTestCase):
    """Records are read one after another."""

    def test_all_kinds_of_heads(self) -> None:
        """IPv4, IPv6 and long topics are understood alike."""
        long = b"%RETRY%" + b"g" * 200
        records = [
            record(properties=b"KEYS\x01a\x02"),
            record(store_host=HOST_V6, properties=b"KEYS\x01b\x02"),
            record(topic=long, properties=b"KEYS\x01c\x02"),
        ]
        data = b"".join(records)
        found = list(tails(data, 0, len(data)))
        self.assertEqual([each[1] for each in found], [len(r) for r in records])
        self.assertEqual([each[2] for each in found], [1234] * 3)
        parts = [split(each[3]) for each in found]
        keys = [
            keys_of(each[3], at) for each, (_, at) in zip(found, parts, strict=True)
        ]
        self.assertEqual(keys, [[b"a"], [b"b"], [b"c"]])
        self.assertEqual(parts[2][0], long)

    def test_no_topic(self) -> None:
        """A record without a topic, which nobody writes, has properties, too."""
        one = record(topic=b"T", properties=b"KEYS\x01a\x02")
        at = one.index(b"\x01T\0\x07KEYS")
        data = (len(one) - 1).to_bytes(4, "big") + one[4:at] + b"\0" + one[at + 2 :]
        [(_, _, _, tail)] = tails(data, 0, len(data))
        topic, start = split(tail)
        self.assertEqual((topic, tail[start:]), (b"", b"KEYS\x01a\x02"))

    def test_rolled_back(self) -> None:
        """A rolled back transaction has no keys; a prepared one has."""
        for sys_flag, keys in ((0x4, [b"a"]), (0x8, [b"a"]), (0xC, [])):
            data = record(sys_flag=sys_flag, properties=b"KEYS\x01a\x02")
            [(_, _, _, tail)] = tails(data, 0, len(data))
            self.assertEqual(keys_of(tail, split(tail)[1]), keys)

    def test_stops_at_what_is_not_whole(self) -> None:
        """However the data are cut, only whole records are given."""
        one = record(properties=b"KEYS\x01a\x02")
        for cut in range(len(one)):
            data = one + one[:cut]
            self.assertEqual(len(list(tails(data, 0, len(data)))), 1, cut)

    def test_blank(self) -> None:
        """Filler is no record."""
        data = bytes.fromhex("00000064cbd43194") + bytes(92)
        self.assertEqual(list(tails(data, 0, 100)), [])
        self.assertTrue(is_blank(data, 0))
