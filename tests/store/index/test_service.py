"""Tests of the index of a store: kept beside the commit log, asked by key."""

import errno
import os
import shutil
from itertools import combinations, cycle
from typing import Any
from unittest.mock import patch

from rocketmq_tw.store.errors import TooManyQueries
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.index.hash import KeyHash
from rocketmq_tw.store.index.search import Search, Wanted
from rocketmq_tw.store.interfaces import KeyQuery, Queried
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import Draft, decode
from tests.store.cases import NOW, TOPIC, StoreCase, draft

EVER = 1 << 62


def keyed(key: str, unique: str = "", **fields: object) -> Draft:
    """Make a draft whose body is its key."""
    text = f"KEYS\x01{key}\x02" + (f"UNIQ_KEY\x01{unique}\x02" if unique else "")
    return draft(key.encode(), properties=text.encode(), **fields)


class _BadDisk(Disk):
    """A disk that cannot force an index file, or has no room for one, when told."""

    is_bad = False
    is_full = False

    def fsync(self, paths: list[str]) -> None:
        """Force, or fail."""
        if self.is_bad and any("/index/" in path for path in paths):
            raise OSError(errno.EIO, "Input/output error")
        super().fsync(paths)

    def write(self, descriptor: int, data: bytes | memoryview, at: int) -> None:
        """Write, or fail for an index file's entries."""
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if self.is_full and "/index/" in path:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(descriptor, data, at)


class IndexCase(StoreCase):
    """Asks stores by key; a file of the index takes 99 entries."""

    def ask(
        self,
        store: MessageStore,
        key: str,
        count: int = 64,
        begin: int = 0,
        end: int = EVER,
        unique: bool = False,
        topic: str = TOPIC,
    ) -> Queried:
        """Query and wait for the response."""
        answers: list[Queried] = []
        asked = store.query(
            KeyQuery(
                topic=topic,
                key=key,
                max_count=count,
                begin_ms=begin,
                end_ms=end,
                is_unique=unique,
            )
        )
        asked.addCallback(answers.append)
        for _ in range(1000):
            if not answers:
                self.clock.advance(0)
        self.successResultOf(asked)
        return answers[0]

    def offsets(self, store: MessageStore, key: str, **options: Any) -> list[int]:
        """Give the queue offsets of what a query finds."""
        records = self.ask(store, key, **options).records
        return [decode(record).queue_offset for record in records]

    def put(self, store: MessageStore, *keys: str, topic: bytes = b"TopicTest") -> None:
        """Store a message for each key, a second apart."""
        for key in keys:
            store.put(keyed(key, topic=topic), self.clock.seconds())
            self.clock.advance(1)

    def index_files(self, root: str | None = None) -> list[str]:
        """List the files of the index."""
        folder = os.path.join(root or self.root, "index")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


class QueryTests(IndexCase):
    """Messages are found by key at once."""

    def test_by_key(self) -> None:
        """Each word of KEYS finds its messages, oldest first, and no others."""
        store = self.open()
        self.put(store, "a b", "b", "c", "a")
        self.assertEqual(self.offsets(store, "a"), [0, 3])
        self.assertEqual(self.offsets(store, "b"), [0, 1])
        found = self.ask(store, "a b")
        self.assertEqual((found.records, found.gap), ([], None))

    def test_by_unique_key(self) -> None:
        """The unique key finds its message; as a unique key, KEYS do not count."""
        store = self.open()
        store.put(keyed("k", unique="U1"), NOW)
        store.put(keyed("U1", unique="U2"), NOW)
        self.assertEqual(self.offsets(store, "U1", unique=True), [0])
        self.assertEqual(self.offsets(store, "U1"), [0, 1])

    def test_topics_are_apart(self) -> None:
        """The same key in another topic is another one."""
        store = self.open()
        self.put(store, "a")
        self.put(store, "a", topic=b"Other")
        self.assertEqual(len(self.ask(store, "a").records), 1)
        self.assertEqual(len(self.ask(store, "a", topic="Other").records), 1)
        self.assertEqual(self.ask(store, "a", topic="None").records, [])

    def test_same_hash(self) -> None:
        """Keys of the same hash are told apart by the record."""
        store = self.open()
        self.put(store, "Aa", "BB")
        self.assertEqual(self.offsets(store, "Aa"), [0])
        self.assertEqual(self.offsets(store, "BB"), [1])

    def test_times(self) -> None:
        """The store time bounds what is found, to the millisecond, both included."""
        store = self.open()
        start = int(NOW * 1000)
        for step in range(4):
            store.put(keyed("a"), (start + 250 * step) / 1000)
        begin, end = start + 250, start + 500
        self.assertEqual(self.offsets(store, "a", begin=begin, end=end), [1, 2])
        self.assertEqual(self.offsets(store, "a", begin=begin + 1, end=end - 1), [])

    def test_limit(self) -> None:
        """The newest are given, still oldest first; none are asked for, none given."""
        store = self.open()
        self.put(store, *["a"] * 10)
        self.assertEqual(self.offsets(store, "a", count=3), [7, 8, 9])
        self.assertEqual(self.offsets(store, "a", count=0), [])

    def test_across_many_files(self) -> None:
        """A key is found in every file of the index."""
        store = self.open()
        for number in range(300):
            self.put(store, f"a k{number}")
        self.assertEqual(len(self.ask(store, "a", count=1000).records), 300)
        self.assertEqual(len(self.index_files()), 7)
        self.assertEqual(self.offsets(store, "k0"), [0])
        self.assertEqual(self.offsets(store, "k299"), [299])

    def test_tells_how_far_it_is(self) -> None:
        """The response has time and place of the newest message indexed."""
        store = self.open()
        self.assertEqual(self.ask(store, "a").last_offset, 0)
        self.put(store, "a", "b")
        found = self.ask(store, "a")
        self.assertEqual(found.last_time_ms, int(NOW * 1000) + 1000)
        self.assertIsNotNone(store.record_at(found.last_offset))

    def test_a_damaged_record_is_not_given(self) -> None:
        """A record whose bytes changed on the disk is passed over."""
        store = self.open()
        self.put(store, "a", "a")
        self.ask(store, "a")
        with open(self.path("commitlog", "0" * 20), "r+b") as file:
            file.seek(88)
            file.write(b"X")
        self.assertEqual(self.offsets(store, "a"), [1])

    def test_can_be_off(self) -> None:
        """Without an index nothing is written, and a query says why it fails."""
        store = self.open(message_index_enable=False)
        self.put(store, "a")
        found = self.ask(store, "a")
        self.assertEqual(found.records, [])
        self.assertIn("messageIndexEnable", found.gap or "")
        self.assertEqual(self.index_files(), [])

    def test_bounded_work(self) -> None:
        """A search that looks at too many entries stops, and says so."""
        store = self.open()
        self.put(store, *["Aa"] * 90)
        self.ask(store, "none")
        index = store._index
        code = KeyHash()(b"TopicTest#BB")
        wanted = Wanted(b"TopicTest", b"BB", code, 64, 0, EVER, False)
        for steps, is_bounded in ((50, True), (90 * 21 + 1, False)):
            search = Search(index._commit_log, index._files.files, steps)
            search.run(wanted)
            self.assertEqual(search.records, {})
            self.assertEqual("narrow the time" in (search.gap or ""), is_bounded)

    def test_queue_of_queries_is_bounded(self) -> None:
        """Too many queries at once are refused."""
        threads = ManualThreads()
        store = MessageStore(
            self.mktemp(), self.clock, self.config, run_in_thread=threads
        )
        self.finish(store.open())
        newest = KeyQuery(topic=TOPIC, key="a", max_count=1, begin_ms=0, end_ms=EVER)
        asked = [store.query(newest) for _ in range(300)]
        for each in asked[257:]:
            self.failureResultOf(each, TooManyQueries)
        threads.run()
        for each in asked[:257]:
            self.successResultOf(each)
        closed = store.close()
        threads.run()
        self.successResultOf(closed)

    def test_waiting_for_the_index_counts(self) -> None:
        """So do those that wait until the index has caught up."""
        store = self.open(max_waiting_queries=2, commit_log_file_size=16 << 20)
        large = draft(bytes(40_000), properties=b"KEYS\x01a\x02")
        for _ in range(330):  # more than the slices of five queries index
            store.put(large, NOW)
        newest = KeyQuery(topic=TOPIC, key="a", max_count=1, begin_ms=0, end_ms=EVER)
        asked = [store.query(newest) for _ in range(5)]
        for each in asked[:3]:
            self.assertNoResult(each)
        for each in asked[3:]:
            self.failureResultOf(each, TooManyQueries)
        gauges = store.gauges()
        self.assertEqual(gauges["waitingQueries"](), 3)
        self.assertEqual(gauges["waitingQueriesRefused"](), 2)
        self.clock.pump([0.1] * 20)
        for each in asked[:3]:
            self.successResultOf(each)
        self.assertEqual(gauges["waitingQueries"](), 0)


class FollowingTests(IndexCase):
    """The index follows the commit log by itself."""

    def test_in_the_background(self) -> None:
        """Without any query, messages are indexed a little later."""
        store = self.open()
        self.put(store, "a")
        self.clock.pump([0.5] * 3)
        self.assertEqual(store._index._builder.lag, 0)
        self.assertEqual(len(self.index_files()), 1)

    def test_names(self) -> None:
        """Files are named by local time, each later than the one before."""
        store = self.open()
        for number in range(250):
            store.put(keyed(f"k{number}"), NOW)
        self.ask(store, "k0")
        names = self.index_files()
        self.assertEqual(len(names), 3)
        self.assertEqual(names, sorted(set(names)))
        self.assertTrue(all(len(n) == 17 and n.startswith("2023111") for n in names))

    def test_messages_without_keys(self) -> None:
        """Only messages with keys make a file; the others are passed."""
        store = self.open()
        store.put(draft(properties=b"a\x01b\x02"), NOW)
        self.ask(store, "a")
        self.assertEqual(self.index_files(), [])

    def test_large_records(self) -> None:
        """A record longer than what is read at once is indexed too."""
        store = self.open(commit_log_file_size=1 << 20)
        store.put(draft(bytes(300_000), properties=b"KEYS\x01a\x02"), NOW)
        self.put(store, "a")
        self.assertEqual(self.offsets(store, "a"), [0, 1])

    def test_a_full_file_is_forced(self) -> None:
        """The checkpoint says up to when full files are on disk."""
        store = self.open()
        self.put(store, *["a"] * 150)
        self.ask(store, "a")
        last = int(NOW * 1000) + 98_000
        self.assertEqual(store._checkpoint.index_time_ms, last)

    def test_reads_what_is_flushed(self) -> None:
        """A store that flushes first finds messages once they are on disk."""
        store = self.open(sync_flush=True)
        self.put(store, "a")
        self.clock.pump([0.1] * 20)
        self.assertEqual(self.offsets(store, "a"), [0])


class ReopenTests(IndexCase):
    """What is known survives; what is doubtful is rebuilt."""

    def test_goes_on_after_a_clean_stop(self) -> None:
        """Nothing is indexed twice, nothing left out."""
        store = self.open()
        self.put(store, "a", "b")
        before = None
        for _ in range(2):
            store = self.reopen(store)
            before = before or self.index_files()
            self.put(store, "a")
        self.assertEqual(self.offsets(store, "a"), [0, 2, 3])
        self.assertEqual(self.index_files(), before)
        self.assertEqual(store._index._files.files[0].count, 5)

    def test_all_is_indexed_at_a_clean_stop(self) -> None:
        """Another broker finds the newest message too: closing waits for it."""
        store = self.open()
        self.put(store, "a")
        self.successResultOf(store.close())
        self.assertEqual(len(self.index_files()), 1)

    def test_after_a_crash(self) -> None:
        """Files that were not forced to disk are rebuilt; full ones stay."""
        store = self.open()
        self.put(store, *["a"] * 150)
        self.ask(store, "a")
        self.clock.pump([1] * 3)
        self.put(store, "late")
        first, second = self.index_files()
        copy = self.kill()
        inode = os.stat(os.path.join(copy, "index", first)).st_ino
        with open(os.path.join(copy, "index", second), "r+b") as file:
            file.write(b"\xff" * 200)
        again = self.open(copy)
        self.assertEqual(len(self.ask(again, "a", count=500).records), 150)
        self.assertEqual(self.offsets(again, "late"), [150])
        self.assertEqual(self.index_files(copy)[0], first)
        self.assertEqual(os.stat(os.path.join(copy, "index", first)).st_ino, inode)

    def test_files_without_tags(self) -> None:
        """Those that an older release wrote stay, and new messages have their tags."""
        tagged = b"TAGS\x01T\x02"
        with patch("rocketmq_tw.store.index.keys.TAGS", b"NO TAGS\x01"):
            store = self.open()
            for _ in range(180):
                store.put(draft(properties=b"KEYS\x01a\x02" + tagged), NOW)
                store.put(draft(properties=tagged), NOW)
            self.ask(store, "a")
            self.successResultOf(store.close())
        before = [os.stat(self.path("index", each)) for each in self.index_files()]
        self.assertGreater(len(before), 1)
        again = self.open()
        self.assertEqual(len(self.ask(again, "a", count=500).records), 180)
        after = [os.stat(self.path("index", each)) for each in self.index_files()]
        self.assertEqual(
            [each.st_ino for each in after[:-1]], [each.st_ino for each in before[:-1]]
        )
        again.put(draft(properties=tagged), NOW)
        self.assertEqual(self.offsets(again, "T#T")[-1], 360)

    def test_missing_files_are_rebuilt(self) -> None:
        """Each file, and each two, may be deleted, emptied or cut."""
        sizes: dict[str, Any] = {
            "commit_log_file_size": 1 << 20,
            "consume_queue_file_size": 20_000,
        }
        store = self.open(**sizes)
        self.put(store, *["a"] * 350)
        self.successResultOf(store.close())
        names = self.index_files()
        self.assertEqual(len(names), 4)
        lengths = cycle((None, 0, 10))
        for lost in [*combinations(names, 1), *combinations(names, 2)] * 2:
            length = next(lengths)
            copy = self.kill()
            for name in lost:
                path = os.path.join(copy, "index", name)
                os.truncate(path, length or 0)
                if length is None:
                    os.unlink(path)
            again = self.open(copy, **sizes)
            found = self.ask(again, "a", count=500)
            self.assertEqual(len(found.records), 350, (lost, length))
            self.successResultOf(again.close())
            shutil.rmtree(copy)

    def test_a_disk_that_fails_at_the_end(self) -> None:
        """An index that could not be forced to disk is not trusted afterwards."""
        disk = _BadDisk()
        store = MessageStore(self.root, self.clock, self.config, disk=disk)
        self.finish(store.open())
        self.put(store, "a")
        disk.is_bad = True
        self.failureResultOf(store.close(), OSError)
        self.assertTrue(os.path.exists(self.path("abort")))
        self.assertEqual(self.offsets(self.open(), "a"), [0])

    def test_a_full_disk(self) -> None:
        """While nothing can be written, messages come and what is known is found."""
        disk = _BadDisk()
        store = MessageStore(self.root, self.clock, self.config, disk=disk)
        self.finish(store.open())
        self.put(store, "a")
        self.ask(store, "a")
        disk.is_full = True
        self.put(store, "a", "a")
        found = self.ask(store, "a")
        self.assertEqual(len(found.records), 1)
        self.assertIn("not indexed yet", found.gap or "")
        self.assertTrue(found.is_behind)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        disk.is_full = False
        self.clock.pump([0.5] * 4)
        self.assertEqual(self.offsets(store, "a"), [0, 1, 2])
        self.successResultOf(store.close())

    def test_an_index_ahead_of_the_log(self) -> None:
        """Files that know messages the log lost are rebuilt."""
        store = self.open()
        self.put(store, "a", "b")
        self.successResultOf(store.close())
        index = self.mktemp()
        shutil.copytree(self.path("index"), index)
        shutil.rmtree(self.root)
        os.makedirs(self.root)
        store = self.open()
        self.put(store, "c")
        self.successResultOf(store.close())
        shutil.rmtree(self.path("index"))
        shutil.copytree(index, self.path("index"))
        store = self.open()
        self.assertEqual(self.offsets(store, "c"), [0])
        self.assertEqual(self.offsets(store, "a"), [])

    def test_full_files_stay(self) -> None:
        """A start makes none anew, whether or not a message's keys go over two."""
        for keys in ("a", "a b"):
            self.root = self.mktemp()
            store = self.open()
            self.put(store, *[keys] * 250)
            self.ask(store, "a")
            before = {
                n: os.stat(self.path("index", n)).st_ino for n in self.index_files()
            }
            self.assertGreater(len(before), 2)
            self.reopen(store)
            after = {
                n: os.stat(self.path("index", n)).st_ino for n in self.index_files()
            }
            self.assertEqual(after, before)

    def test_trim(self) -> None:
        """Files that know only deleted messages are let go, to be removed elsewhere."""
        store = self.open()
        self.put(store, *["a"] * 150)
        self.ask(store, "a")
        first, second = self.index_files()
        end = store._index._files.files[0].end_offset
        self.assertEqual(store._index.trim(end), [])
        self.assertEqual(store._index.trim(end + 1), [self.path("index", first)])
        self.assertEqual(self.index_files(), [first, second])
        self.assertEqual(len(self.ask(store, "a", count=500).records), 51)
