"""Tests of reading the records of chosen entries."""

import os

import msgspec

from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.records import cut, read_log, read_warm, view_log
from tests.store.cases import NOW, SIZE, SMALL, TOPIC, StoreCase, draft


class CutTests(StoreCase):
    """Removing what is between records."""

    def test_side_by_side(self) -> None:
        """Nothing is between them."""
        view = memoryview(b"aabbcc")
        self.assertEqual(cut(view, (100, 102, 104), (2, 2, 2)), b"aabbcc")

    def test_apart(self) -> None:
        """What is between them is left out."""
        view = memoryview(b"aa..b..ccc")
        self.assertEqual(cut(view, (100, 104, 107), (2, 1, 3)), b"aabccc")


class ReadTests(StoreCase):
    """Records of a store."""

    config = msgspec.structs.replace(SMALL, commit_log_file_size=1 << 20)

    def setUp(self) -> None:
        """Store five messages of one size."""
        super().setUp()
        self.store: MessageStore = self.open()
        for number in range(5):
            self.store.put(draft(b"%05d" % number), NOW)

    def test_a_view(self) -> None:
        """The same bytes from the window and from the file, without a copy."""
        view = view_log(self.store._view, SIZE, SIZE)
        assert view is not None
        record = bytes(view)
        self.assertTrue(view.readonly)
        self.assertIn(b"00001", record)
        view.release()
        self.store._log.close()
        self.assertEqual(view_log(self.store._view, SIZE, SIZE), record)

    def test_a_copy(self) -> None:
        """It stays as it is, whatever is read next."""
        self.store._log.close()
        copy = read_log(self.store._view, 0, SIZE)
        read_log(self.store._view, SIZE, SIZE)
        assert copy is not None
        self.assertIn(b"00000", copy)

    def test_what_is_gone(self) -> None:
        """Records behind the end of a file are not counted."""
        beyond = (1 << 20) - 10
        records, count = read_warm(self.store._view, (0, beyond), (SIZE, SIZE)) or (
            b"",
            -1,
        )
        self.assertEqual((len(records), count), (SIZE, 1))


class MappedTests(StoreCase):
    """Records of a part of the log that is read again and again."""

    config = msgspec.structs.replace(SMALL, commit_log_file_size=4096)

    def setUp(self) -> None:
        """Store messages in three files, and read the first again and again."""
        super().setUp()
        self.store: MessageStore = self.open()
        for number in range(100):
            self.store.put(draft(b"%05d" % number), NOW)
        self.clock.advance(2)
        for _ in range(36):
            self.read()
        self.assertIn(b"00001", self.read())
        self.assertEqual(self.mapped, 1)

    @property
    def mapped(self) -> int:
        """Return how many parts of files are mapped."""
        return self.store.gauges()["mappedReadSize"]() >> 20

    def read(self, position: int = SIZE) -> bytes:
        """Read a record."""
        return read_log(self.store._view, position, SIZE) or b""

    def test_no_system_call(self) -> None:
        """Neither for one record nor for many."""

        def refuse(*_: object) -> int:
            raise AssertionError("the file was read")

        self.patch(os, "preadv", refuse)
        self.patch(os, "pread", refuse)
        self.assertIn(b"00001", self.read())
        found = read_warm(self.store._view, [0, 2 * SIZE], [SIZE, SIZE])
        assert found is not None
        records, count = found
        self.assertEqual((len(records), count), (2 * SIZE, 2))
        self.assertIn(b"00002", records)

    def test_across_files(self) -> None:
        """Each part ends with its file."""
        end = 4096 - 10
        self.assertEqual(read_log(self.store._view, end, 20), bytes(10))

    def test_a_log_that_is_cut(self) -> None:
        """As a slave cuts its own: what follows is gone, and written anew."""
        log = self.store._log
        log.set_end(SIZE)
        self.assertEqual((self.mapped, self.read()), (0, bytes(SIZE)))
        record = bytes(range(SIZE))
        log.append_raw(SIZE, record, SIZE, 0)
        for _ in range(40):
            self.assertEqual(self.read(), record)
        self.assertEqual(self.mapped, 1)
        log.append_raw(2 * SIZE, record, 2 * SIZE, 0)
        self.assertEqual(self.read(2 * SIZE), record)

    def test_a_file_that_is_deleted_by_age(self) -> None:
        """It is unmapped before it is unlinked, and reads as empty."""
        files = self.store._log.files
        os.unlink(files.detach(0))
        self.assertEqual((self.mapped, self.read()), (0, b""))

    def test_a_closed_store(self) -> None:
        """It has nothing mapped, and no timer."""
        self.successResultOf(self.store.close())
        self.assertEqual(self.mapped, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pulls_of_what_is_removed_meanwhile(self) -> None:
        """The consumer is sent to what is there."""
        found = self.store.get(TOPIC, 0, 0, 8, 1 << 20, None)
        self.assertEqual(found.count, 4)
        self.store._log.files.remove(0)
        found = self.store.get(TOPIC, 0, 0, 8, 1 << 20, None)
        self.assertEqual((found.count, self.mapped), (0, 0))
