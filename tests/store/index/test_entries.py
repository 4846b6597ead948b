"""Tests of the entries of records."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.index.entries import MAX_TAILS, Entries
from rocketmq_tw.store.index.file import Entry
from rocketmq_tw.store.index.hash import KeyHash
from rocketmq_tw.store.index.keys import keys_of
from tests.store.index.test_keys import record

#: Names and values that could be taken for each other.
PAIRS = st.tuples(
    st.sampled_from(["UNIQ_KEY", "MYUNIQ_KEY", "KEYS", "MYKEYS", "TAGS", "A"]),
    st.sampled_from(["", "a", "b c", "UNIQ_KEY\x01a", "TAGS\x01b", "KEYS\x01c"]),
)
PROPERTIES = st.builds(
    lambda pairs, end: "\x02".join("\x01".join(pair) for pair in pairs) + end,
    st.lists(PAIRS, max_size=4),
    st.sampled_from(["", "\x02"]),
).map(str.encode)


def keys_one_by_one(topic: bytes, properties: bytes, at: int) -> list[Entry]:
    """Return the entries of a record at ``at``, without keeping anything."""
    key_hash = KeyHash()
    return [(key_hash(topic + b"#" + key), at, 1234) for key in keys_of(properties)]


class EntriesTests(SynchronousTestCase):
    """Each key of each record has an entry."""

    def of(self, entries: Entries, *pairs: tuple[bytes, bytes]) -> list[Entry]:
        """Return the entries of records with these topics and properties."""
        data = b"".join(record(topic=t, properties=each) for t, each in pairs)
        found, behind = entries.of(data + data[:50], 0)
        self.assertEqual(behind, len(data))
        return found

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.tuples(st.sampled_from([b"T", b"UNIQ_KEY\x01", b"L" * 200]), PROPERTIES),
            max_size=8,
        ),
        st.booleans(),
    )
    def test_are_those_of_each_record(
        self, pairs: list[tuple[bytes, bytes]], rests: bool
    ) -> None:
        """What earlier records had changes nothing."""
        entries = Entries()
        entries._rest = int(rests)
        at, expected = 0, []
        for topic, properties in pairs:
            expected += keys_one_by_one(topic, properties, at)
            at += len(record(topic=topic, properties=properties))
        self.assertEqual(self.of(entries, *pairs), expected)

    def test_of_a_rolled_back_transaction(self) -> None:
        """It has none."""
        data = record(sys_flag=0xC, properties=b"UNIQ_KEY\x01a\x02")
        self.assertEqual(Entries().of(data, 0), ([], len(data)))

    def test_offset(self) -> None:
        """Offsets are those of the commit log."""
        found, _ = Entries().of(record(properties=b"TAGS\x01a"), 1000)
        self.assertEqual([each[1] for each in found], [1000])

    def test_nothing_whole(self) -> None:
        """The beginning of a record has no entries yet."""
        self.assertEqual(Entries().of(record()[:60], 0), ([], 0))

    def test_keeps_a_bounded_number(self) -> None:
        """Tails and tags that never come again take no memory for ever."""
        entries = Entries()
        for number in range(MAX_TAILS + 10):
            entries._rest = 0
            self.of(entries, (b"T", b"TAGS\x01%d" % number))
        self.assertEqual(len(entries._tails), 10)
        self.assertEqual(len(entries._tags), 10)

    def test_keeps_no_long_ones(self) -> None:
        """Neither long tails nor those with KEYS, of which each has others."""
        entries = Entries()
        self.of(entries, (b"T", b"TAGS\x01" + b"a" * 600))
        self.assertEqual((len(entries._tails), len(entries._tags)), (0, 0))
        entries._rest = 0
        self.of(entries, (b"T", b"KEYS\x01a"))
        self.assertEqual(len(entries._tails), 0)
        entries._rest = 0
        self.of(entries, (b"T", b"TAGS\x01a\x02UNIQ_KEY\x01u"))
        self.assertEqual((len(entries._tails), len(entries._tags)), (1, 1))

    def test_rests_where_all_is_new(self) -> None:
        """Where most tails are new, the next reads neither look nor keep."""
        entries = Entries()
        pairs = [(b"T", b"N\x01%d\x02UNIQ_KEY\x01u" % number) for number in range(40)]
        for pair in pairs:
            self.assertEqual(self.of(entries, pair), keys_one_by_one(*pair, 0))
        # The first read, and each sixteenth behind it.
        self.assertEqual(len(entries._tails), 3)
        same = [(b"T", b"N\x01a\x02UNIQ_KEY\x01%d" % number) for number in range(9)]
        for pair in same * 5:
            self.assertEqual(self.of(entries, pair), keys_one_by_one(*pair, 0))
        self.assertEqual((len(entries._tails), entries._rest), (4, 0))
