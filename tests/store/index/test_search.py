"""Tests of looking up messages by key: what of the index's entries is believed."""

import msgspec

from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.index.file import IndexFile
from rocketmq_tw.store.index.search import Search, Wanted
from rocketmq_tw.wire.record import Checked, check
from tests.store.cases import NOW, StoreCase, draft

CODE = 7
NOW_MS = int(NOW * 1000)


def wanted(
    key: bytes = b"k",
    topic: bytes = b"TopicTest",
    max_count: int = 10,
    begin_ms: int = 0,
    end_ms: int = 1 << 62,
    unique: bool = False,
) -> Wanted:
    """Look for a key."""
    return Wanted(topic, key, CODE, max_count, begin_ms, end_ms, unique)


class SearchTests(StoreCase):
    """A log of three messages, and a file whose entries the test writes."""

    def setUp(self) -> None:
        """Store messages with the key; the second one has it as unique key."""
        super().setUp()
        self.store = self.open(message_index_enable=False)
        self.offsets = [
            self.store.put(
                draft(b"%d" % number, properties=text.encode()), NOW + number
            ).commit_log_offset
            for number, text in enumerate(
                ("KEYS\x01k\x02", "UNIQ_KEY\x01k\x02", "KEYS\x01a k\x02")
            )
        ]
        self.log = self.store._log
        self.file = IndexFile(self.mktemp(), 10, 50, Disk())
        self.file.create(None)
        self.addCleanup(self.file.close)

    def index(self, *offsets: int) -> None:
        """Write entries of the key's hash."""
        self.file.append([(CODE, offset, NOW_MS) for offset in offsets])

    def search(self, what: Wanted, max_steps: int = 1000) -> Search:
        """Search."""
        search = Search(self.log, [self.file], max_steps)
        search.run(what)
        return search

    def found(self, what: Wanted) -> list[int]:
        """Search. :returns: the offsets found, the newest first."""
        return list(self.search(what).records)

    def test_newest_first(self) -> None:
        """And no more than wanted."""
        self.index(*self.offsets)
        self.assertEqual(self.found(wanted()), self.offsets[::-1])
        self.assertEqual(self.found(wanted(max_count=2)), self.offsets[:0:-1])

    def test_too_many_before_a_page(self) -> None:
        """A search that does not reach its page says that it came no further."""
        self.index(*self.offsets)
        what = msgspec.structs.replace(wanted(), before=self.offsets[1])
        search = self.search(what, max_steps=2)
        self.assertEqual(list(search.records), [])
        self.assertEqual(search.stopped_at, self.offsets[1])

    def test_entry_is_only_a_hash(self) -> None:
        """Records of another key or topic are read, and not given."""
        self.index(*self.offsets)
        self.assertEqual(self.found(wanted(b"other")), [])
        self.assertEqual(self.found(wanted(b"a")), [self.offsets[2]])
        self.assertEqual(self.found(wanted(topic=b"Other")), [])

    def test_unique(self) -> None:
        """Only the message whose unique key it is."""
        self.index(*self.offsets)
        self.assertEqual(self.found(wanted(unique=True)), [self.offsets[1]])

    def test_bounds_are_included(self) -> None:
        """The record's own store time counts, to the millisecond."""
        data = self.store.record_at(self.offsets[1])
        assert isinstance(data, bytes)
        record = check(data, 0, len(data), True)
        assert isinstance(record, Checked)
        at = record.store_time_ms
        for begin, end, is_met in (
            (at, at, True),
            (at + 1, at + 9, False),
            (at - 9, at - 1, False),
        ):
            what = wanted(begin_ms=begin, end_ms=end)
            self.assertEqual(
                what.is_met_by(data, record), is_met, (begin - at, end - at)
            )

    def test_offsets_without_record(self) -> None:
        """An offset in a record, behind the log or in a missing file finds nothing."""
        self.index(5, self.log.end, 10_000_000, self.offsets[0])
        search = self.search(wanted())
        self.assertEqual((list(search.records), search.gap), ([self.offsets[0]], None))

    def test_the_same_offset_twice(self) -> None:
        """It is read once and given once."""
        self.index(*[self.offsets[0]] * 30)
        search = self.search(wanted(), max_steps=60)
        self.assertEqual((list(search.records), search.gap), ([self.offsets[0]], None))

    def test_steps_are_bounded(self) -> None:
        """A search that ends too soon says so, and gives what it found."""
        self.index(*self.offsets)
        search = self.search(wanted(), max_steps=30)
        self.assertEqual(list(search.records), self.offsets[:0:-1])
        self.assertIn("narrow the time", search.gap or "")

    def test_index_file_deleted_meanwhile(self) -> None:
        """Others are looked through all the same."""
        self.index(*self.offsets)
        gone = IndexFile(self.mktemp(), 10, 50, Disk())
        gone.create(None)
        gone.append([(CODE, 0, NOW_MS)])
        gone.close()
        Disk().remove(gone.path)
        search = Search(self.log, [self.file, gone])
        search.run(wanted())
        self.assertEqual(len(search.records), 3)
